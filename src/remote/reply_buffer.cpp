#include "remote/reply_buffer.h"

#include <algorithm>

namespace pyhost::remote {

using gateway::FileRange;

base::Result<> ReplyBuffer::append(std::string_view bytes) {
  const bool fits = memory_.size() - taken_ + bytes.size() <= kMemoryBytesMax;
  if (file_begin_ != file_end_ || !fits) return append_to_file(bytes);
  memory_.erase(0, taken_);
  taken_ = 0;
  memory_.append(bytes);
  return {};
}

base::Result<> ReplyBuffer::append_to_file(std::string_view bytes) {
  if (!file_.is_open()) PH_TRY_VOID(file_.open(folder_));
  std::uint64_t end = file_end_;
  while (!bytes.empty()) {
    const FileRange range = range_at(end, bytes.size());
    PH_TRY_VOID(file_.write(range.offset, bytes.substr(0, range.length)));
    end += range.length;
    bytes.remove_prefix(range.length);
  }
  file_end_ = end;
  return {};
}

FileRange ReplyBuffer::range_at(std::uint64_t offset, std::uint64_t bytes) const noexcept {
  const std::uint64_t position = offset % ring_bytes_;
  return {.fd = file_.fd(),
          .offset = position,
          .length = std::min(bytes, ring_bytes_ - position),
          .unchanging = true};
}

base::Result<> ReplyBuffer::refill() {
  const std::uint64_t wanted = std::min<std::uint64_t>(kMemoryBytesMax, file_end_ - file_begin_);
  const FileRange range = range_at(file_begin_, wanted);
  memory_.resize(range.length);
  taken_ = 0;
  const auto got = file_.read(range.offset, memory_);
  memory_.resize(got.value_or(0));
  if (!got) return tl::unexpected(got.error());
  if (memory_.empty()) return base::fail("the temporary file of a reply was cut off");
  file_begin_ += memory_.size();
  return {};
}

base::Result<std::string_view> ReplyBuffer::front(std::size_t max) {
  if (taken_ == memory_.size() && file_begin_ != file_end_) PH_TRY_VOID(refill());
  return std::string_view(memory_).substr(taken_, max);
}

void ReplyBuffer::pop(std::size_t bytes) noexcept {
  taken_ += bytes;
  if (taken_ != memory_.size()) return;
  memory_.clear();
  taken_ = 0;
}

ReplyBuffer::Content ReplyBuffer::content() const noexcept {
  const std::uint64_t in_file = file_end_ - file_begin_;
  const FileRange first = range_at(file_begin_, in_file);
  return {.memory = std::string_view(memory_).substr(taken_),
          .ranges = {first, range_at(file_begin_ + first.length, in_file - first.length)}};
}

void ReplyBuffer::clear() noexcept {
  memory_.clear();
  taken_ = 0;
  file_.close();
  file_begin_ = file_end_ = 0;
}

}  // namespace pyhost::remote
