// Measures what one run of an application costs.
#pragma once

#include <atomic>

#include "base/clock.h"
#include "pyhost/gateway/run_figures.h"

namespace pyhost::wsgi {

// Set by the thread that runs the application; so_far() by any that sends a part of the reply.
class RunMeter {
 public:
  void note_interpreter_wait(base::Clock::duration wait) noexcept {
    interpreter_wait_us_ = in_us(wait);
  }
  void begin(base::TimePoint now) noexcept { began_ = now; }
  void end(base::TimePoint now) noexcept { application_us_ = in_us(now - began_); }

  gateway::RunFigures so_far() const noexcept {
    const std::int64_t ended = application_us_;
    const bool runs = ended == kNotEnded && began_ != base::TimePoint{};
    const std::int64_t application = runs ? in_us(base::Clock::now() - began_) : ended;
    return {.application = std::chrono::microseconds(std::max<std::int64_t>(application, 0)),
            .interpreter_wait = std::chrono::microseconds(interpreter_wait_us_)};
  }

 private:
  static constexpr std::int64_t kNotEnded = -1;

  static std::int64_t in_us(base::Clock::duration time) noexcept {
    return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  }

  base::TimePoint began_{};  // before any other thread can know of the request
  std::atomic<std::int64_t> application_us_ = kNotEnded;
  std::int64_t interpreter_wait_us_ = 0;  // the same
};

}  // namespace pyhost::wsgi
