#include "wire/frame_batch.h"

#include <string.h>

#include <algorithm>

#include "wire/messages.h"

namespace pyhost::wire {
namespace {

// Below this a copy is cheaper than one more piece for the kernel to gather.
constexpr std::size_t kBorrowBytesMin = 4096;

// More than that is not kept for the next reply: a log record may be of any size.
constexpr std::size_t kKeptBytesMax = 2 * kPayloadBytesMax;

}  // namespace

void FrameBatch::add_body(FrameType type, std::string_view bytes) {
  if (bytes.size() < kBorrowBytesMin) {
    encode_body(type, bytes, encoded_);
    return;
  }
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kBodyFrameBytesMax);
    const HeaderBytes header = encode_header({type, static_cast<std::uint32_t>(piece.size())});
    encoded_.append(header.data(), header.size());
    segments_.push_back({nullptr, segmented_, encoded_.size() - segmented_});
    segmented_ = encoded_.size();
    segments_.push_back({piece.data(), 0, piece.size()});
    bytes.remove_prefix(piece.size());
  }
}

void FrameBatch::clear() noexcept {
  encoded_.clear();
  if (encoded_.capacity() > kKeptBytesMax) encoded_.shrink_to_fit();
  segments_.clear();
  segmented_ = 0;
  next_ = 0;
  bytes_sent_ = 0;
  sealed_ = false;
  file_ = -1;
}

void FrameBatch::wipe() noexcept {
  ::explicit_bzero(encoded_.data(), encoded_.size());
  clear();
}

void FrameBatch::seal() {
  if (sealed_) return;
  sealed_ = true;
  if (segmented_ != encoded_.size()) {
    segments_.push_back({nullptr, segmented_, encoded_.size() - segmented_});
  }
}

std::span<iovec> FrameBatch::unsent(std::span<iovec> pieces) {
  seal();
  const std::size_t count = std::min(pieces.size(), segments_.size() - next_);
  for (std::size_t i = 0; i < count; ++i) {
    const Segment& segment = segments_[next_ + i];
    const char* base =
        segment.borrowed_or_null != nullptr ? segment.borrowed_or_null : encoded_.data();
    pieces[i] = {const_cast<char*>(base + segment.offset), segment.size};
  }
  return pieces.first(count);
}

void FrameBatch::mark_sent(std::size_t bytes) noexcept {
  file_ = -1;
  bytes_sent_ += bytes;
  while (bytes != 0) {
    Segment& segment = segments_[next_];
    const std::size_t taken = std::min(bytes, segment.size);
    segment.offset += taken;
    segment.size -= taken;
    bytes -= taken;
    if (segment.size == 0) ++next_;
  }
}

}  // namespace pyhost::wire
