// Whether a client that says nothing is still there.
#pragma once

#include <chrono>

#include "base/clock.h"

namespace pyhost::websocket {

// Decides when a client is sent a Ping, and when it has not answered. Whatever comes from it is
// life, and so is that it takes what it is sent. Whoever asks may be late, because something else
// has kept his thread: what he has not read of the client meanwhile is not held against it.
class PingCourse {
 public:
  using Duration = std::chrono::milliseconds;

  // `interval` is not 0.
  PingCourse(Duration interval, Duration timeout, base::TimePoint now) noexcept
      : interval_(interval), timeout_(timeout), due_(now + interval) {}

  // When look() is to be called next.
  base::TimePoint due() const noexcept { return due_; }

  enum class Verdict {
    wait,
    ping,  // send one
    gone,
  };
  enum class Reading { on, paused };
  // While its messages are not read, nothing can be heard of the client.
  Verdict look(base::TimePoint now, Reading reading) noexcept;

  void hear() noexcept { heard_ = true; }

 private:
  // What a client that seems to have gone is given before it has. So late is whoever is later.
  static constexpr Duration kBenefitOfDoubt{1000};

  const Duration interval_;
  const Duration timeout_;
  base::TimePoint due_;
  base::TimePoint pinged_{};
  bool waits_ = false;  // for life since the Ping
  bool doubts_ = false;
  bool heard_ = false;
};

}  // namespace pyhost::websocket
