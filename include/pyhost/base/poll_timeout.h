// Durations as poll() and epoll_wait() take them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

namespace pyhost::base {

// In milliseconds: what is negative is 0, and what an int does not hold the largest that it does.
inline int poll_timeout(std::chrono::milliseconds time) noexcept {
  constexpr std::int64_t kMax = std::numeric_limits<int>::max();
  return static_cast<int>(std::clamp<std::int64_t>(time.count(), 0, kMax));
}

}  // namespace pyhost::base
