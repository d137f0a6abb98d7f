// In place of src/base/clock.h: time passes when everybody sleeps.
#pragma once

#include <chrono>

#include "model/scheduler.h"

namespace pyhost::base {

struct Clock {
  using duration = std::chrono::steady_clock::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr bool is_steady = true;
  static time_point now() { return test::Scheduler::now(); }
};
using TimePoint = Clock::time_point;
using Milliseconds = std::chrono::milliseconds;

}  // namespace pyhost::base
