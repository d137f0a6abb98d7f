// Whether a request asks for a WebSocket.
#pragma once

#include <string_view>

#include "pyhost/gateway/request_head.h"

namespace pyhost::apache {

// What of a request decides; texts are those of its headers, "" for one that it has not.
struct HandshakeFields {
  bool is_get = false;
  bool is_http_1_0 = false;  // or older
  bool has_body = false;     // or says so
  std::string_view upgrade;
  std::string_view connection;
  std::string_view version;
  std::string_view key;
};

// RFC 6455, 4.2.1. mod_http2 shows an extended CONNECT (RFC 8441) as the same GET.
gateway::WebSocketOffer offer_of(const HandshakeFields& fields) noexcept;

// Whether it is base64 of 16 bytes.
bool is_key(std::string_view text) noexcept;

}  // namespace pyhost::apache
