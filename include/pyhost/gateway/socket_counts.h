// What the process counts that has a WebSocket.
#pragma once

#include <cstdint>

namespace pyhost::gateway {

// As it says itself, which is not believed where it matters.
struct SocketCounts {
  std::uint64_t received = 0;    // messages that the application has received
  std::uint64_t sent = 0;        // that it has sent
  std::uint16_t close_code = 0;  // how it was closed (RFC 6455, 7.4); 0: it is open

  bool operator==(const SocketCounts&) const = default;
};

// Of a WebSocket that ends without a Close (RFC 6455, 7.1.5).
inline constexpr std::uint16_t kClosedAbnormally = 1006;

// Whether a WebSocket can be said to have been closed so.
constexpr bool is_close_code(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1015) || (code >= 3000 && code <= 4999);
}

}  // namespace pyhost::gateway
