// The frames of a server, which are not masked.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "websocket/protocol.h"

namespace pyhost::websocket {

// Larger messages leave in fragments of so many bytes, so that what is kept for a slow client is
// bounded, and a Ping or a Close comes between.
inline constexpr std::size_t kFragmentBytesMax = 64 * 1024;

// The bytes in front of a payload.
class FrameStart {
 public:
  enum class Is { compressed, plain };
  FrameStart() = default;
  FrameStart(Opcode opcode, bool is_final, Is is, std::uint64_t length) noexcept;

  std::string_view bytes() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<char, 10> bytes_{};
  std::size_t size_ = 0;
};

// The frames of one message, one after the other. Its payload stays where it is.
class MessageFrames {
 public:
  MessageFrames() = default;
  // `opcode` is text or binary.
  MessageFrames(Opcode opcode, FrameStart::Is is, std::string_view payload) noexcept
      : opcode_(opcode), is_(is), rest_(payload), done_(false) {}

  bool done() const noexcept { return done_; }
  struct Frame {
    FrameStart start;
    std::string_view payload;
  };
  // PRECONDITION: it is not done.
  Frame next() noexcept;

 private:
  Opcode opcode_ = Opcode::binary;  // of the next one
  FrameStart::Is is_ = FrameStart::Is::plain;
  std::string_view rest_;
  bool done_ = true;
};

// A whole Ping or Pong; at most kControlBytesMax bytes.
std::string control_frame(Opcode opcode, std::string_view payload);

// A whole Close. kCloseNoCode is one without a code; a reason that is too long is cut between two
// characters.
std::string close_frame(int code, std::string_view reason);

}  // namespace pyhost::websocket
