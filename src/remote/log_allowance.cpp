#include "remote/log_allowance.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"

namespace pyhost::remote {

bool LogAllowance::admit(std::string_view text, base::Clock::time_point now) noexcept {
  const double elapsed = std::chrono::duration<double>(now - filled_at_).count();
  filled_at_ = now;
  records_ = std::min(kRecordsAtOnce, records_ + elapsed * kRecordsPerSecond);
  bytes_ = std::min(kBytesAtOnce, bytes_ + elapsed * kBytesPerSecond);
  const auto lines = static_cast<std::uint64_t>(std::ranges::count(text, '\n')) + 1;
  const auto records = static_cast<double>(lines);
  const auto bytes = static_cast<double>(text.size());
  if (records > records_ || bytes > bytes_) {
    left_out_.records += lines;
    left_out_.bytes += text.size();
    return false;
  }
  records_ -= records;
  bytes_ -= bytes;
  return true;
}

LogAllowance::LeftOut LogAllowance::take_left_out() noexcept {
  return std::exchange(left_out_, {});
}

}  // namespace pyhost::remote
