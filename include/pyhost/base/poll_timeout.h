// Durations as poll() and epoll_wait() take them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

namespace pyhost::base {

// In milliseconds: what is negative is 0, and what an int does not hold the largest that it does.
inline int poll_timeout(std::chrono::milliseconds time) noexcept {
  constexpr std::int64_t kMax = std::numeric_limits<int>::max();
  return static_cast<int>(std::clamp<std::int64_t>(time.count(), 0, kMax));
}

// The time until then; -1, which is for ever, for no moment.
inline int poll_timeout(std::optional<std::chrono::steady_clock::time_point> until) noexcept {
  if (!until) return -1;
  const auto left = *until - std::chrono::steady_clock::now();
  return poll_timeout(std::chrono::ceil<std::chrono::milliseconds>(left));
}

}  // namespace pyhost::base
