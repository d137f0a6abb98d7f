// The clock of files.
#pragma once

#include <time.h>

#include <cstdint>

namespace pyhost::base {

// A moment just before now, in microseconds since the epoch, that every later change of a file has
// a ctime behind. The kernel stamps files with a clock that only moves with its ticks.
inline std::int64_t before_later_changes_us() noexcept {
  constexpr std::int64_t kMicroseconds = 1'000'000;
  constexpr std::int64_t kNanoseconds = 1'000;
  timespec tick{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &tick);
  return tick.tv_sec * kMicroseconds + tick.tv_nsec / kNanoseconds - 1;
}

}  // namespace pyhost::base
