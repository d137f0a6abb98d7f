// Moments at which something is to be done, and the descriptor that says that one has come.
#pragma once

#include <sys/timerfd.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::asgi {

// A heap of moments with what is due then. Its timer is set anew only for a moment that comes
// before all others, so what is always due after the same time costs no system call; and what is
// due soon after something else waits for up to kTick, so that many of them cost one. One thread at
// a time.
template <class T>
class Deadlines {
 public:
  static constexpr std::chrono::milliseconds kTick{10};

  Deadlines() : timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {}

  // Can be read when something is due; take_due() ends that.
  int fd() const noexcept { return timer_.get(); }

  void add(base::TimePoint moment, T what) {
    moments_.push_back({moment, std::move(what)});
    std::ranges::push_heap(moments_, std::greater(), &Moment::moment);
    if (!armed_for_ || moment < *armed_for_) arm(moment);
  }

  // The next that is due, or nothing; then the timer is set for the first that is not.
  std::optional<T> take_due(base::TimePoint now) {
    if (moments_.empty()) return disarm();
    if (moments_.front().moment > now) {
      arm(std::max<base::TimePoint>(moments_.front().moment, now + kTick));
      return std::nullopt;
    }
    std::ranges::pop_heap(moments_, std::greater(), &Moment::moment);
    T what = std::move(moments_.back().what);
    moments_.pop_back();
    return what;
  }

 private:
  struct Moment {
    base::TimePoint moment;
    T what;
  };

  void arm(base::TimePoint moment) noexcept {
    using std::chrono::nanoseconds;
    constexpr long kNanoseconds = 1'000'000'000;
    const auto since_start = std::chrono::duration_cast<nanoseconds>(moment.time_since_epoch());
    itimerspec when{};
    when.it_value = {.tv_sec = since_start.count() / kNanoseconds,
                     .tv_nsec = since_start.count() % kNanoseconds};
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
    armed_for_ = moment;
  }

  std::nullopt_t disarm() noexcept {
    const itimerspec never{};
    if (armed_for_) ::timerfd_settime(timer_.get(), 0, &never, nullptr);
    armed_for_.reset();
    return std::nullopt;
  }

  base::UniqueFd timer_;
  std::vector<Moment> moments_;  // a heap, the first one in front
  std::optional<base::TimePoint> armed_for_;
};

}  // namespace pyhost::asgi
