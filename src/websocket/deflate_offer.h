// What a client and we agree on about compression (RFC 7692, 7.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "websocket/deflater.h"
#include "websocket/inflater.h"

namespace pyhost::websocket {

// Our window for what we send: it costs a sixteenth of the largest one's memory.
inline constexpr int kServerWindowBits = 12;

struct DeflateAgreement {
  int server_window_bits = kServerWindowBits;
  Deflater::Context server_context = Deflater::Context::kept;
  Inflater::Context client_context = Inflater::Context::kept;

  // The value of Sec-WebSocket-Extensions in the reply.
  std::string answer = {};
};

// The first permessage-deflate that can be had of what Sec-WebSocket-Extensions offers; nothing
// when there is none, or the value is malformed.
std::optional<DeflateAgreement> agree_on_deflate(std::string_view offers);

}  // namespace pyhost::websocket
