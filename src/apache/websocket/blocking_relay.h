// A WebSocket that takes a thread of httpd.
#pragma once

#include <cstdint>

#include "apache/httpd_api.h"
#include "pyhost/gateway/tunnel.h"

namespace pyhost::apache {

struct StreamTotals {
  gateway::StreamEnding ending{};
  bool client_has_all = false;  // of what it was sent
  std::uint64_t bytes_from_client = 0;
  std::uint64_t bytes_to_client = 0;
};

// Relays between the client's connection and its worker until the stream is over; also when the
// child is to end.
StreamTotals relay_blocking(conn_rec* c, gateway::Tunnel& tunnel);

}  // namespace pyhost::apache
