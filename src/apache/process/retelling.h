// When a supervisor that has not accepted what httpd wants is told again.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/clock.h"

namespace pyhost::apache {

// The pause grows with each time that is in vain. No clock of its own.
class Retelling {
 public:
  static constexpr std::chrono::seconds kShortest{1};
  static constexpr std::chrono::seconds kLongest{60};

  // The supervisor is new, or may not know what is wanted.
  void begin(base::Clock::time_point now) noexcept {
    pause_ = kShortest;
    due_ = now;
  }
  // It has been told.
  void succeed() noexcept { due_.reset(); }
  // It has been told in vain, or could not be.
  void fail(base::Clock::time_point now) noexcept {
    due_ = now + pause_;
    pause_ = std::min(2 * pause_, kLongest);
  }

  bool due(base::Clock::time_point now) const noexcept { return due_ && now >= *due_; }

 private:
  std::chrono::seconds pause_ = kShortest;
  std::optional<base::Clock::time_point> due_;
};

}  // namespace pyhost::apache
