#include "websocket/frame_writer.h"

#include <utility>

namespace pyhost::websocket {
namespace {

// At most so many bytes, and no part of a character.
std::string_view cut(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  while (bytes_max > 0 && continues(bytes_max)) --bytes_max;
  return text.substr(0, bytes_max);
}

}  // namespace

FrameStart::FrameStart(Opcode opcode, bool is_final, Is is, std::uint64_t length) noexcept {
  const auto put = [this](std::uint64_t byte) {
    bytes_[size_++] = static_cast<char>(static_cast<std::uint8_t>(byte));
  };
  put((is_final ? kFin : 0U) | (is == Is::compressed ? kRsv1 : 0U) | static_cast<unsigned>(opcode));
  std::size_t length_bytes = 0;
  if (length < kInTwoBytes) {
    put(length);
  } else {
    length_bytes = length <= 0xFFFF ? 2 : 8;
    put(length_bytes == 2 ? kInTwoBytes : kInEightBytes);
  }
  while (length_bytes-- > 0) put(length >> (8 * length_bytes));
}

MessageFrames::Frame MessageFrames::next() noexcept {
  const std::string_view payload = rest_.substr(0, kFragmentBytesMax);
  rest_.remove_prefix(payload.size());
  done_ = rest_.empty();
  const Opcode opcode = std::exchange(opcode_, Opcode::continuation);
  const FrameStart::Is is = std::exchange(is_, FrameStart::Is::plain);
  return {FrameStart(opcode, done_, is, payload.size()), payload};
}

std::string control_frame(Opcode opcode, std::string_view payload) {
  std::string frame(FrameStart(opcode, true, FrameStart::Is::plain, payload.size()).bytes());
  return frame.append(payload);
}

std::string close_frame(int code, std::string_view reason) {
  if (code == kCloseNoCode) return control_frame(Opcode::close, {});
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  payload.append(cut(reason, kReasonBytesMax));
  return control_frame(Opcode::close, payload);
}

}  // namespace pyhost::websocket
