// The clocks that everything is timed by.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

namespace pyhost::base {

// What waits and limits are counted in; never set back.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Milliseconds = std::chrono::milliseconds;

// The time of day, as files and the scoreboard have it: microseconds since the epoch.
inline std::int64_t now_us() noexcept {
  using std::chrono::duration_cast, std::chrono::microseconds, std::chrono::system_clock;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

// The first of two moments, of which either may never come.
inline std::optional<TimePoint> earliest(std::optional<TimePoint> one,
                                         std::optional<TimePoint> other) noexcept {
  if (!one) return other;
  return other ? std::min(*one, *other) : *one;
}

// As texts for people have them.
inline double seconds(Clock::duration time) noexcept {
  return std::chrono::duration<double>(time).count();
}

// As poll() and epoll_wait() take it, in milliseconds: what is negative is 0, and what an int does
// not hold the largest that it does.
inline int poll_timeout(Milliseconds time) noexcept {
  constexpr std::int64_t kMax = std::numeric_limits<int>::max();
  return static_cast<int>(std::clamp<std::int64_t>(time.count(), 0, kMax));
}

// The time until then; -1, which is for ever, for no moment.
inline int poll_timeout(std::optional<TimePoint> until) noexcept {
  if (!until) return -1;
  return poll_timeout(std::chrono::ceil<Milliseconds>(*until - Clock::now()));
}

}  // namespace pyhost::base
