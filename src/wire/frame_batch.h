// Frames on their way out, gathered so that they leave in one system call.
#pragma once

#include <sys/uio.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/frame.h"

namespace pyhost::wire {

// Keeps its usual memory when it is cleared; use one for many replies. Not synchronised.
class FrameBatch {
 public:
  // For the encode_*() functions, which append to it.
  std::string& encoded() noexcept { return encoded_; }
  // BODY or REPLY_BODY frames. Large bytes are not copied and must stay until the batch is sent.
  void add_body(FrameType type, std::string_view bytes);

  // A descriptor that travels with the first byte; stays the caller's.
  void attach_file(int file) noexcept { file_ = file; }
  int file() const noexcept { return file_; }  // -1 for none, and once it was sent

  void clear() noexcept;
  // The same, and overwrites what was encoded.
  void wipe() noexcept;

  // What has not been sent yet, at most `pieces.size()` pieces of it. Nothing is added once sending
  // has begun.
  std::span<iovec> unsent(std::span<iovec> pieces);
  void mark_sent(std::size_t bytes) noexcept;
  // How much of the batch has been sent.
  std::size_t bytes_sent() const noexcept { return bytes_sent_; }

 private:
  // Bytes of somebody else's, or a stretch of encoded_.
  struct Segment {
    const char* borrowed_or_null;
    std::size_t offset;
    std::size_t size;
  };
  void seal();

  std::string encoded_;
  std::size_t segmented_ = 0;  // how much of encoded_ the segments cover
  std::vector<Segment> segments_;
  bool sealed_ = false;
  std::size_t next_ = 0;
  std::size_t bytes_sent_ = 0;
  int file_ = -1;
};

}  // namespace pyhost::wire
