// Lines that a process which is not trusted writes to a socket.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "pyhost/base/unique_fd.h"

namespace pyhost::os {

// Lines longer than this are dropped.
inline constexpr std::size_t kStatusLineMax = 16 * 1024;

class LineReader {
 public:
  explicit LineReader(base::UniqueFd socket) noexcept : socket_(std::move(socket)) {}

  int fd() const noexcept { return socket_.get(); }

  // The lines that have come since the last call, or a large share of them; never blocks if the
  // descriptor does not.
  std::vector<std::string> read();

  // Whether the other end has been closed and everything was read.
  bool at_end() const noexcept { return at_end_; }

 private:
  void take_lines(std::vector<std::string>& lines);

  base::UniqueFd socket_;
  std::string pending_;
  bool overlong_ = false;  // the line that is being read is dropped
  bool at_end_ = false;
};

}  // namespace pyhost::os
