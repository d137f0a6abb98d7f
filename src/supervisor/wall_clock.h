// The time of day, as it stands on the scoreboard beside the times of files.
#pragma once

#include <chrono>
#include <cstdint>

namespace pyhost::supervisor {

// Microseconds since the epoch.
inline std::int64_t now_us() noexcept {
  using std::chrono::duration_cast, std::chrono::microseconds, std::chrono::system_clock;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace pyhost::supervisor
