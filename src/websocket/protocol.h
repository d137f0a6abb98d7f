// The numbers of RFC 6455.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pyhost::websocket {

enum class Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

constexpr bool is_control(Opcode opcode) noexcept {
  return (static_cast<unsigned>(opcode) & 8U) != 0;
}

// Of a frame's first byte (RFC 6455, 5.2).
inline constexpr unsigned kFin = 0x80;
inline constexpr unsigned kRsv1 = 0x40;
// Lengths that say that the length follows in two bytes, or in eight.
inline constexpr unsigned kInTwoBytes = 126;
inline constexpr unsigned kInEightBytes = 127;

inline constexpr std::size_t kControlBytesMax = 125;
// Beside the code of a Close.
inline constexpr std::size_t kReasonBytesMax = kControlBytesMax - 2;

// Why a connection is closed (RFC 6455, 7.4.1 and IANA's registry).
enum CloseCode : int {
  kCloseNormal = 1000,
  kCloseGoingAway = 1001,
  kCloseProtocolError = 1002,
  kCloseNoCode = 1005,  // in no frame: a Close without a code
  kCloseLost = 1006,    // in no frame: the connection has ended without a Close
  kCloseNotUtf8 = 1007,
  kCloseTooLarge = 1009,
  kCloseInternalError = 1011,
  kCloseServiceRestart = 1012,
  kCloseTryAgainLater = 1013,
};

// Whether a Close frame may say it.
constexpr bool is_sendable_code(long long code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace pyhost::websocket
