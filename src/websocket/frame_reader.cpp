#include "websocket/frame_reader.h"

#include <algorithm>

namespace pyhost::websocket {
namespace {

constexpr unsigned kRsv23 = 0x30;
constexpr unsigned kOpcode = 0x0F;
constexpr unsigned kMasked = 0x80;
constexpr unsigned kLength = 0x7F;

bool is_known(unsigned opcode) noexcept {
  return opcode <= 2 || (opcode >= 8 && opcode <= 10);
}

}  // namespace

std::size_t FrameReader::head_bytes_wanted() const noexcept {
  if (raw_size_ < 2) return 2;
  const unsigned length = raw_[1] & kLength;
  const std::size_t length_bytes = length == kInTwoBytes ? 2 : length == kInEightBytes ? 8 : 0;
  return 2 + length_bytes + key_.size();
}

// What the first two bytes say; a sentence when it may not be.
std::string_view FrameReader::begin_frame() noexcept {
  const unsigned opcode = raw_[0] & kOpcode;
  const bool rsv1 = (raw_[0] & kRsv1) != 0;
  head_ = {.opcode = Opcode(opcode),
           .is_final = (raw_[0] & kFin) != 0,
           .is_compressed = rsv1,
           .length = raw_[1] & kLength};
  if ((raw_[0] & kRsv23) != 0) return "a frame has reserved bits set";
  if (!is_known(opcode)) return "a frame has a reserved opcode";
  // Of a message only the first frame says whether it is compressed.
  const bool may_say_so = head_.opcode == Opcode::text || head_.opcode == Opcode::binary;
  if (rsv1 && !(takes_rsv1_ && may_say_so)) return "a frame has reserved bits set";
  if ((raw_[1] & kMasked) == 0) return "a frame is not masked";
  if (!is_control(head_.opcode)) return {};
  if (!head_.is_final) return "a control frame is fragmented";
  if (head_.length > kControlBytesMax) return "a control frame has more than 125 bytes";
  return {};
}

// The rest of the head; a sentence when it may not be.
std::string_view FrameReader::take_length() noexcept {
  const std::uint64_t announced = head_.length;
  const std::size_t length_bytes = head_bytes_wanted() - 2 - key_.size();
  if (length_bytes != 0) {
    head_.length = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) head_.length = head_.length << 8U | raw_[2 + i];
  }
  std::copy_n(raw_.begin() + 2 + std::ptrdiff_t(length_bytes), key_.size(), key_.begin());
  if (announced == kInTwoBytes && head_.length < kInTwoBytes)
    return "a length is not written shortest";
  if (announced != kInEightBytes) return {};
  if (head_.length <= 0xFFFF) return "a length is not written shortest";
  return head_.length >> 63U == 0 ? std::string_view() : "a length has its first bit set";
}

FrameReader::Step FrameReader::take_head(std::string_view& bytes) noexcept {
  while (true) {
    const std::size_t wanted = head_bytes_wanted();
    const std::size_t count = std::min(wanted - raw_size_, bytes.size());
    std::copy_n(bytes.begin(), count, raw_.begin() + std::ptrdiff_t(raw_size_));
    bytes.remove_prefix(count);
    raw_size_ += count;
    if (raw_size_ < wanted) return {};
    const std::string_view why = wanted == 2 ? begin_frame() : take_length();
    if (!why.empty()) return {.kind = Step::Kind::malformed, .why = why};
    if (wanted == 2) continue;
    raw_size_ = 0;
    in_payload_ = true;
    taken_ = 0;
    return {.kind = Step::Kind::head};
  }
}

FrameReader::Step FrameReader::take_payload(std::string_view& bytes) noexcept {
  const std::uint64_t missing = head_.length - taken_;
  if (missing != 0 && bytes.empty()) return {};
  const std::string_view piece = bytes.substr(0, std::min<std::uint64_t>(missing, bytes.size()));
  bytes.remove_prefix(piece.size());
  const std::uint64_t offset = taken_;
  taken_ += piece.size();
  in_payload_ = taken_ < head_.length;
  return {.kind = Step::Kind::payload, .masked = piece, .offset = offset, .is_last = !in_payload_};
}

FrameReader::Step FrameReader::next(std::string_view& bytes) noexcept {
  return in_payload_ ? take_payload(bytes) : take_head(bytes);
}

void FrameReader::append(const Step& piece, std::string& text) const {
  const std::size_t before = text.size();
  text.append(piece.masked);
  unmask(std::span(text).subspan(before), key_, piece.offset);
}

}  // namespace pyhost::websocket
