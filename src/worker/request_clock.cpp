#include "worker/request_clock.h"

#include <cstdlib>

namespace pyhost::worker {

// In this order: see running().
void RequestClock::begin(base::TimePoint now) noexcept {
  number_.store(number_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  set(ticks_of(now));
}

void RequestClock::end(base::TimePoint now, bool counts) noexcept {
  if (counts) last_end_.store(ticks_of(now), std::memory_order_relaxed);
  set(0);
}

// A number that is the same before and after belongs to the time between: end() clears the time
// before begin() sets the next number.
std::optional<RequestClock::Running> RequestClock::running() const noexcept {
  const std::uint64_t number = number_.load(std::memory_order_acquire);
  const base::Clock::rep began = began_.load(std::memory_order_acquire);
  if (began == 0 || number != number_.load(std::memory_order_relaxed)) return std::nullopt;
  return Running{number, base::TimePoint(base::Clock::duration(std::abs(began))), began < 0};
}

bool RequestClock::runs(std::uint64_t number) const noexcept {
  const auto now = running();
  return now && now->number == number;
}

std::optional<base::TimePoint> RequestClock::last_end() const noexcept {
  const base::Clock::rep ended = last_end_.load(std::memory_order_relaxed);
  if (ended == 0) return std::nullopt;
  return base::TimePoint(base::Clock::duration(ended));
}

}  // namespace pyhost::worker
