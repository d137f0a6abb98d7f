// When a supervisor that has not accepted what httpd wants is told again.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace pyhost::apache {

// The pause grows with each time that is in vain. No clock of its own.
class Retelling {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kShortest{1};
  static constexpr std::chrono::seconds kLongest{60};

  // The supervisor is new, or may not know what is wanted.
  void begin(Clock::time_point now) noexcept {
    pause_ = kShortest;
    due_ = now;
  }
  // It has been told.
  void succeed() noexcept { due_.reset(); }
  // It has been told in vain, or could not be.
  void fail(Clock::time_point now) noexcept {
    due_ = now + pause_;
    pause_ = std::min(2 * pause_, kLongest);
  }

  bool due(Clock::time_point now) const noexcept { return due_ && now >= *due_; }

 private:
  std::chrono::seconds pause_ = kShortest;
  std::optional<Clock::time_point> due_;
};

}  // namespace pyhost::apache
