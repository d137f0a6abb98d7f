// What a client offers with the handshake of a WebSocket.
#pragma once

#include <string_view>
#include <vector>

#include "pyhost/gateway/request_head.h"

namespace pyhost::asgi {

// Sec-WebSocket-Protocol: the names, in the client's order, without empty ones.
std::vector<std::string_view> subprotocols_of(const gateway::RequestHead& head);

// Sec-WebSocket-Extensions; empty when there is none.
std::string_view extensions_offered(const gateway::RequestHead& head) noexcept;

}  // namespace pyhost::asgi
