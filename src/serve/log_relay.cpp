#include "serve/log_relay.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

namespace pyhost::serve {
namespace {

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

bool LogRelay::pass_on(std::string_view line) {
  const auto shown = transform_(line);
  return !shown || write_all(to_, *shown + '\n');
}

LogRelay::Progress LogRelay::pump() {
  std::array<char, 65'536> buffer;
  while (true) {
    const ssize_t bytes = read(from_, buffer.data(), buffer.size());
    if (bytes < 0) return Progress::more;
    if (bytes == 0) {
      const bool passed = unfinished_.empty() || pass_on(unfinished_);
      unfinished_.clear();
      return passed ? Progress::ended : Progress::reader_gone;
    }
    unfinished_.append(buffer.data(), static_cast<std::size_t>(bytes));
    std::size_t start = 0;
    for (auto end = unfinished_.find('\n'); end != std::string::npos;
         start = end + 1, end = unfinished_.find('\n', start)) {
      const std::string_view line(unfinished_.data() + start, end - start);
      if (!pass_on(line)) return Progress::reader_gone;
    }
    unfinished_.erase(0, start);
  }
}

}  // namespace pyhost::serve
