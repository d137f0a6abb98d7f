#include "python/line_log.h"

#include <utility>

#include "python/attached.h"

namespace pyhost::python {
namespace {

// A line without an end may not grow for ever.
constexpr std::size_t kLineBytesMax = 64 * 1024;

}  // namespace

std::string LineLog::take_complete_lines(std::string_view text) {
  const std::lock_guard lock(mutex_);
  line_flush_expected_ = text.find_first_of("\r\n") != text.npos;
  const auto last_end = text.rfind('\n');
  if (last_end == text.npos) {
    partial_ += text;
    return partial_.size() > kLineBytesMax ? std::exchange(partial_, {}) : std::string();
  }
  std::string lines = std::exchange(partial_, std::string(text.substr(last_end + 1)));
  lines += text.substr(0, last_end);
  return lines;
}

bool LineLog::take_line_flush() noexcept {
  const std::lock_guard lock(mutex_);
  return std::exchange(line_flush_expected_, false);
}

std::string LineLog::take_partial() {
  const std::lock_guard lock(mutex_);
  return std::exchange(partial_, {});
}

void LineLog::write(Attached& py, std::string_view text) {
  const std::string lines = take_complete_lines(text);
  if (lines.empty()) return;
  const DetachScope detached(py);
  for (std::string_view rest = lines; !rest.empty();) {
    const auto end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    if (!line.empty()) sink_.log(level_, base::Message::none, line);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  }
}

void LineLog::flush() noexcept {
  const std::string partial = take_partial();
  if (!partial.empty()) sink_.log(level_, base::Message::none, partial);
}

void LineLog::flush(Attached& py) {
  const std::string partial = take_partial();
  if (partial.empty()) return;
  const DetachScope detached(py);
  sink_.log(level_, base::Message::none, partial);
}

}  // namespace pyhost::python
