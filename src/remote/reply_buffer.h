// What a slow client has not taken yet of its reply.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "pyhost/gateway/exchange.h"
#include "remote/spool_file.h"
#include "wire/frame.h"

namespace pyhost::remote {

// First in, first out: in memory, and in a file for what does not fit there. Takes no memory before
// it is used. One request's; used by the thread that serves it.
class ReplyBuffer {
 public:
  static constexpr std::size_t kMemoryBytesMax = 128 * 1024;

  // The folder's name outlives the buffer.
  ReplyBuffer(std::uint64_t bytes_max, const std::string& folder) noexcept
      : folder_(folder), bytes_max_(bytes_max), ring_bytes_(bytes_max + wire::kPayloadBytesMax) {}

  bool empty() const noexcept { return bytes() == 0; }
  std::uint64_t bytes() const noexcept {
    return memory_.size() - taken_ + (file_end_ - file_begin_);
  }
  // Whether nothing should be added before something was taken.
  bool full() const noexcept { return bytes() >= bytes_max_; }

  // What has arrived before the buffer was full is taken even beyond the limit. PRECONDITION: the
  // buffer holds no more than that and one frame. After an error the bytes are not in the buffer.
  base::Result<> append(std::string_view bytes);

  // The oldest bytes, at most `max` of them; they stay until the next call of any function.
  base::Result<std::string_view> front(std::size_t max);
  void pop(std::size_t bytes) noexcept;

  // All there is, for a sender that duplicates the descriptors; clear() is to follow.
  struct Content {
    std::string_view memory;
    std::array<gateway::FileRange, 2> ranges;  // behind it; a length of 0 for none
  };
  Content content() const noexcept;
  // Lets go of the file, which somebody else may still be reading.
  void clear() noexcept;

 private:
  base::Result<> append_to_file(std::string_view bytes);
  base::Result<> refill();
  // The position in the file, and how much lies between it and the file's last byte.
  gateway::FileRange range_at(std::uint64_t offset, std::uint64_t bytes) const noexcept;

  const std::string& folder_;
  const std::uint64_t bytes_max_;
  // The file is used as a ring, so that it does not grow with the length of the reply.
  const std::uint64_t ring_bytes_;
  std::string memory_;
  std::size_t taken_ = 0;  // of memory_
  SpoolFile file_;         // holds what is younger than memory_
  std::uint64_t file_begin_ = 0;
  std::uint64_t file_end_ = 0;
};

}  // namespace pyhost::remote
