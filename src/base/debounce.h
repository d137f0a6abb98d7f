// When a burst of changes is over.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/clock.h"

namespace pyhost::base {

// A deployment writes many files: it is over when nothing has changed for kQuiet. What never ends
// is taken as it is kLongest after its beginning. No clock of its own.
class Debounce {
 public:
  static constexpr Milliseconds kQuiet{100};
  static constexpr Milliseconds kLongest{2'000};

  // Something has changed now.
  void note(TimePoint now) noexcept {
    if (!under_way_) first_ = now;
    under_way_ = true;
    last_ = now;
  }

  // When the burst will be over unless more comes; nothing when there is none.
  std::optional<TimePoint> over_at() const noexcept {
    if (!under_way_) return std::nullopt;
    return std::min(last_ + kQuiet, first_ + kLongest);
  }

  // When something has changed last.
  TimePoint last() const noexcept { return last_; }

  // Whether it is over; if so, what comes next begins another one.
  bool take(TimePoint now) noexcept {
    const auto over = over_at();
    if (!over || now < *over) return false;
    under_way_ = false;
    return true;
  }

 private:
  bool under_way_ = false;
  TimePoint first_{};  // of the burst that is under way
  TimePoint last_{};
};

}  // namespace pyhost::base
