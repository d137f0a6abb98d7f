// The messages of a client.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "websocket/frame_reader.h"
#include "websocket/inflater.h"
#include "websocket/utf8_check.h"

namespace pyhost::websocket {

// Joins fragments to messages, and says what comes between them (RFC 6455, 5.4 to 5.6). What no
// message can become any more is a fault at the first byte that shows it.
class MessageReader {
 public:
  // Messages may have so many bytes, after inflation. With `inflater` they may be compressed.
  explicit MessageReader(std::size_t message_bytes_max,
                         std::optional<Inflater> inflater = std::nullopt) noexcept
      : frames_(inflater ? FrameReader::Compression::agreed : FrameReader::Compression::none),
        inflater_(std::move(inflater)),
        message_bytes_max_(message_bytes_max) {}

  struct Event {
    enum class Kind {
      incomplete,  // all bytes are taken
      text,        // take_message()
      bytes,       // the same
      ping,        // to be answered with a Pong of the same payload
      pong,
      close,  // the last thing that the client has said; what follows is dropped
      fault,  // the client is to be told `code`; what follows is dropped
    };
    Kind kind = Kind::incomplete;
    // Of a Ping or Pong; the reason of a Close; a sentence about a fault. Until the next call.
    std::string_view text = {};
    int code = 0;  // of close (kCloseNoCode for none) and fault
  };
  // Takes the next thing from the front of `bytes`.
  Event next(std::string_view& bytes);

  std::string take_message() noexcept { return std::exchange(message_, {}); }
  // What is kept of a message that is not complete.
  std::size_t bytes_kept() const noexcept { return message_.size(); }

 private:
  Event fault(int code, std::string_view why) noexcept;
  Event begin_frame() noexcept;
  Event take_control(const FrameReader::Step& piece);
  Event take_data(const FrameReader::Step& piece);
  std::optional<Event> inflate(const FrameReader::Step& piece);
  Event end_message() noexcept;
  Event take_close() noexcept;

  FrameReader frames_;
  std::optional<Inflater> inflater_;
  const std::size_t message_bytes_max_;
  std::string message_;
  std::string control_;  // the payload of a control frame
  std::string deflated_;
  Utf8Check utf8_;
  Opcode opcode_ = Opcode::continuation;  // of the message; continuation: none is under way
  bool is_compressed_ = false;
  bool over_ = false;
};

}  // namespace pyhost::websocket
