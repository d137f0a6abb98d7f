// The time of day, as files and the scoreboard have it.
#pragma once

#include <chrono>
#include <cstdint>

namespace pyhost::base {

// Microseconds since the epoch.
inline std::int64_t now_us() noexcept {
  using std::chrono::duration_cast, std::chrono::microseconds, std::chrono::system_clock;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace pyhost::base
