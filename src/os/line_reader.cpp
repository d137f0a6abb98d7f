#include "os/line_reader.h"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace pyhost::os {

std::vector<std::string> LineReader::read() {
  std::vector<std::string> lines;
  std::array<char, 4096> buffer;
  // Who never stops talking must not keep the supervisor from its other work.
  constexpr int kReadsMax = 32;
  for (int i = 0; i < kReadsMax && !at_end_; ++i) {
    const ssize_t got = ::read(socket_.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    at_end_ = got <= 0;
    if (!at_end_) pending_.append(buffer.data(), got);
    take_lines(lines);
  }
  return lines;
}

void LineReader::take_lines(std::vector<std::string>& lines) {
  for (auto end = pending_.find('\n'); end != pending_.npos; end = pending_.find('\n')) {
    if (!overlong_) lines.push_back(pending_.substr(0, end));
    overlong_ = false;
    pending_.erase(0, end + 1);
  }
  if (pending_.size() > kStatusLineMax) {
    overlong_ = true;
    pending_.clear();
  }
}

}  // namespace pyhost::os
