// The frames of a client.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "websocket/mask.h"
#include "websocket/protocol.h"

namespace pyhost::websocket {

struct FrameHead {
  Opcode opcode = Opcode::continuation;
  bool is_final = false;
  bool is_compressed = false;  // RSV1 (RFC 7692, 6)
  std::uint64_t length = 0;    // of the payload
};

// Takes apart what a client sends, however it is cut, and holds each frame to what can be seen of
// it alone (RFC 6455, 5.2, 5.5). Keeps no more than the head of a frame.
class FrameReader {
 public:
  enum class Compression { none, agreed };
  explicit FrameReader(Compression compression = Compression::none) noexcept
      : takes_rsv1_(compression == Compression::agreed) {}

  struct Step {
    enum class Kind {
      incomplete,  // all bytes are taken
      head,        // head() is that of a frame; its payload follows
      payload,     // a piece of it; an empty payload is one piece, too
      malformed,   // this is no WebSocket; nothing is to be read any more
    };
    Kind kind = Kind::incomplete;
    std::string_view masked = {};  // of `payload`: a part of the bytes
    std::uint64_t offset = 0;      // of it in the frame's payload
    bool is_last = false;          // of the frame
    std::string_view why = {};     // of `malformed`
  };
  // Takes the next thing from the front of `bytes`.
  Step next(std::string_view& bytes) noexcept;

  // Of the frame that was begun last.
  const FrameHead& head() const noexcept { return head_; }
  // Puts a piece of its payload behind `text`, unmasked.
  void append(const Step& piece, std::string& text) const;

 private:
  // Two bytes, a length of up to eight, the mask.
  static constexpr std::size_t kHeadBytesMax = 14;

  std::size_t head_bytes_wanted() const noexcept;
  std::string_view begin_frame() noexcept;
  std::string_view take_length() noexcept;
  Step take_head(std::string_view& bytes) noexcept;
  Step take_payload(std::string_view& bytes) noexcept;

  const bool takes_rsv1_;
  std::array<std::uint8_t, kHeadBytesMax> raw_{};
  std::size_t raw_size_ = 0;
  bool in_payload_ = false;
  std::uint64_t taken_ = 0;  // of the payload
  FrameHead head_;
  MaskKey key_{};
};

}  // namespace pyhost::websocket
