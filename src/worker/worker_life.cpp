#include "worker/worker_life.h"

#include <algorithm>
#include <iterator>

#include "base/clock.h"

namespace pyhost::worker {
namespace {

using std::chrono::milliseconds;
using Kind = LifeOrder::Kind;

bool is_on(milliseconds limit) noexcept {
  return limit > milliseconds(0);
}

// How often the locks are asked for: a fraction of what may pass, as a wait counts from a question.
milliseconds probe_interval(milliseconds deadlock_timeout) noexcept {
  constexpr milliseconds kLongest{5'000};
  constexpr milliseconds kShortest{10};
  constexpr int kQuestions = 4;
  return std::clamp(deadlock_timeout / kQuestions, kShortest, kLongest);
}

// A request that waits for its interpreter or for an import can only be interrupted behind that.
milliseconds interrupt_interval(milliseconds interrupt_timeout) noexcept {
  constexpr milliseconds kLongest{1'000};
  constexpr milliseconds kShortest{10};
  constexpr int kAttempts = 10;
  return std::clamp(interrupt_timeout / kAttempts, kShortest, kLongest);
}

constexpr milliseconds kMemoryInterval{1'000};
// Between attempts to give a request up whose connection is in use.
constexpr milliseconds kGiveUpInterval{100};
// A loop that does not turn for so long is blocked, and is looked at so often.
constexpr milliseconds kLoopBlocked{1'000};
constexpr milliseconds kLoopInterval{500};

// By EndReason. The last one is no worker's own.
constexpr std::string_view kToldReasons[] = {
    "shutdown_signal",    "eviction_signal", "maximum_requests", "restart_interval",
    "inactivity_timeout", "request_timeout", "deadlock_timeout", "startup_timeout",
    "cpu_time_limit",     "memory_limit",    "lifespan_lost",    ""};
static_assert(std::size(kToldReasons) == static_cast<std::size_t>(EndReason::silence) + 1);

bool begins_to_drain(const std::vector<LifeOrder>& orders) noexcept {
  return std::ranges::find(orders, Kind::drain, &LifeOrder::kind) != orders.end();
}

// A WebSocket in which nothing moves keeps no worker from being idle.
bool is_idle(const Observation& seen) noexcept {
  return seen.active == seen.sockets;
}

}  // namespace

std::string_view shutdown_reason(EndReason reason) noexcept {
  return kToldReasons[static_cast<std::size_t>(reason)];
}

void WorkerLife::stop(base::TimePoint now) {
  if (stopped_) {
    drain_until_ = now;
    return;
  }
  stopped_ = true;
  if (drain_until_) return;
  const bool evicted = replace_for_ == EndReason::eviction;
  drain_until_ = now + (evicted ? limits_.eviction_timeout : limits_.graceful_timeout);
  stop_ordered_ = true;
}

void WorkerLife::hurry(base::TimePoint now) {
  hurry_ordered_ |= !hurried_ && draining();
  hurried_ = true;
  const base::TimePoint until = now + std::min(limits_.graceful_timeout, limits_.shutdown_timeout);
  stop_ordered_ |= !drain_until_.has_value();
  drain_until_ = std::min(drain_until_.value_or(until), until);
}

void WorkerLife::replace(EndReason reason) noexcept {
  if (!replace_for_) replace_for_ = reason;
}

void WorkerLife::gave_up(const RunningRequest& request) noexcept {
  if (Overdue* overdue = find(request)) overdue->given_up = true;
}

std::vector<LifeOrder> WorkerLife::step(const Observation& seen) {
  Orders orders;
  if (ended_) return orders;
  orders.reserve(orders_max(seen));
  overdue_.reserve(overdue_.size() + seen.running.size());
  if (stop_ordered_) {
    stop_ordered_ = false;
    orders.push_back({.kind = Kind::drain, .reason = EndReason::stopped});
  }
  if (hurry_ordered_) {
    hurry_ordered_ = false;
    orders.push_back({.kind = Kind::hurry_sockets});
  }
  attend_requests(seen, orders);
  attend_startup(seen, orders);
  attend_loops(seen, orders);
  if (!draining() && !successor_asked_) {
    if (!replace_for_) replace_for_ = reached_limit(seen);
    if (replace_for_) {
      successor_asked_ = true;
      orders.push_back({.kind = Kind::ask_successor, .reason = *replace_for_});
    }
  }
  const bool stuck = is_on(limits_.deadlock_timeout) && seen.lock_waited_since &&
                     seen.now - *seen.lock_waited_since >= limits_.deadlock_timeout;
  // A request may have come between the look and the order to drain.
  const bool is_drained = seen.active <= given_up() && !begins_to_drain(orders);
  if (stuck) {
    ended_ = true;
    orders.push_back({.kind = Kind::end_at_once, .reason = EndReason::deadlock_timeout});
  } else if (drain_until_ && (seen.now >= *drain_until_ || is_drained)) {
    ended_ = true;
    orders.push_back({.kind = Kind::end});
  }
  next_deadline_ = ended_ ? std::nullopt : deadline_after(seen);
  return orders;
}

void WorkerLife::attend_requests(const Observation& seen, Orders& orders) {
  std::erase_if(overdue_, [&seen](const Overdue& overdue) {
    return std::ranges::find(seen.running, overdue.request) == seen.running.end();
  });
  for (const RunningRequest& request : seen.running) {
    if (!first_request_ || request.began < *first_request_) first_request_ = request.began;
    const bool late = is_on(limits_.request_timeout) && !request.importing &&
                      seen.now - request.began >= limits_.request_timeout;
    if (late) attend(request, seen.now, orders);
  }
}

void WorkerLife::attend(const RunningRequest& request, base::TimePoint now, Orders& orders) {
  Overdue* overdue = find(request);
  if (overdue == nullptr) {
    overdue = &overdue_.emplace_back(Overdue{.request = request, .interrupted_at = now});
    overdue->interrupt_again_at = now + interrupt_interval(limits_.interrupt_timeout);
    if (is_on(limits_.interrupt_timeout)) {
      orders.push_back({.kind = Kind::interrupt, .request = request});
    }
  }
  if (overdue->given_up) return;
  if (now - overdue->interrupted_at < limits_.interrupt_timeout) {
    if (now < overdue->interrupt_again_at) return;
    overdue->interrupt_again_at = now + interrupt_interval(limits_.interrupt_timeout);
    orders.push_back({.kind = Kind::interrupt_again, .request = request});
    return;
  }
  give_up(*overdue, now, orders);
}

void WorkerLife::give_up(Overdue& overdue, base::TimePoint now, Orders& orders) {
  if (overdue.give_up_again_at && now < *overdue.give_up_again_at) return;
  const Kind kind = overdue.give_up_again_at ? Kind::give_up_again : Kind::give_up;
  overdue.give_up_again_at = now + kGiveUpInterval;
  orders.push_back({.kind = kind, .request = overdue.request});
  drain(EndReason::request_timeout, now, orders);
}

// The limit for becoming ready is the supervisor's; this one is for imports by requests. None is
// interrupted: Python could not repeat it.
void WorkerLife::attend_startup(const Observation& seen, Orders& orders) {
  if (!is_on(limits_.startup_timeout)) return;
  const auto late_since = [&](base::TimePoint began) {
    return seen.now - began >= limits_.startup_timeout;
  };
  const bool late = std::ranges::any_of(seen.running, [&](const RunningRequest& request) {
    return request.importing && late_since(request.began);
  });
  const bool nothing_loaded = first_request_ && !seen.script_loaded && late_since(*first_request_);
  if (late || nothing_loaded) drain(EndReason::startup_timeout, seen.now, orders);
}

// Each time is named once. One that stands still for as long as no lock may be kept is as good as
// dead, and all its requests with it.
void WorkerLife::attend_loops(const Observation& seen, Orders& orders) {
  if (!seen.loop_blocked_since) return;
  const auto blocked_for = seen.now - *seen.loop_blocked_since;
  if (blocked_for >= kLoopBlocked && named_blocked_ != seen.loop_blocked_since) {
    named_blocked_ = seen.loop_blocked_since;
    orders.push_back({.kind = Kind::name_blocked});
  }
  const bool is_dead = is_on(limits_.deadlock_timeout) && blocked_for >= limits_.deadlock_timeout;
  if (is_dead) drain(EndReason::deadlock_timeout, seen.now, orders);
}

void WorkerLife::drain(EndReason reason, base::TimePoint now, Orders& orders) {
  if (draining()) return;
  drain_until_ = now + limits_.graceful_timeout;
  orders.push_back({.kind = Kind::drain, .reason = reason});
}

std::optional<EndReason> WorkerLife::reached_limit(const Observation& seen) const noexcept {
  if (served_max_ != 0 && seen.served >= served_max_) return EndReason::maximum_requests;
  if (is_on(limits_.restart_interval) && seen.now - started_ >= limits_.restart_interval) {
    return EndReason::restart_interval;
  }
  if (limits_.resident_bytes_max != 0 && seen.resident_bytes >= limits_.resident_bytes_max) {
    return EndReason::memory_limit;
  }
  if (is_on(limits_.inactivity_timeout) && is_idle(seen) && seen.last_end &&
      seen.now - *seen.last_end >= limits_.inactivity_timeout) {
    return EndReason::inactivity_timeout;
  }
  return std::nullopt;
}

WorkerLife::Overdue* WorkerLife::find(const RunningRequest& request) noexcept {
  const auto found = std::ranges::find(overdue_, request, &Overdue::request);
  return found == overdue_.end() ? nullptr : &*found;
}

unsigned WorkerLife::given_up() const noexcept {
  return static_cast<unsigned>(std::ranges::count_if(overdue_, &Overdue::given_up));
}

// What has not begun yet may reach its limit one limit from now at the earliest.
std::optional<base::TimePoint> WorkerLife::deadline_after(const Observation& seen) const noexcept {
  std::optional<base::TimePoint> next = drain_until_;
  const auto consider = [&](bool on, base::TimePoint moment) {
    if (on && moment > seen.now) next = base::earliest(next, moment);
  };
  const bool timed = is_on(limits_.request_timeout);
  consider(timed, seen.now + limits_.request_timeout);
  for (const RunningRequest& request : seen.running) {
    if (!request.importing) consider(timed, request.began + limits_.request_timeout);
  }
  for (const Overdue& overdue : overdue_) {
    if (overdue.given_up) continue;
    if (overdue.give_up_again_at) {
      consider(true, *overdue.give_up_again_at);
      continue;
    }
    consider(true, overdue.interrupted_at + limits_.interrupt_timeout);
    consider(true, overdue.interrupt_again_at);
  }
  if (is_on(limits_.deadlock_timeout)) {
    consider(true, seen.now + probe_interval(limits_.deadlock_timeout));
    if (seen.lock_waited_since) consider(true, *seen.lock_waited_since + limits_.deadlock_timeout);
  }
  consider(seen.has_loops, seen.now + kLoopInterval);
  if (draining()) return next;
  // An import may begin at any time.
  consider(is_on(limits_.startup_timeout), seen.now + limits_.startup_timeout);
  for (const RunningRequest& request : seen.running) {
    const bool importing = is_on(limits_.startup_timeout) && request.importing;
    consider(importing, request.began + limits_.startup_timeout);
  }
  consider(is_on(limits_.startup_timeout) && !seen.script_loaded,
           first_request_.value_or(seen.now) + limits_.startup_timeout);
  if (successor_asked_) return next;
  consider(is_on(limits_.restart_interval), started_ + limits_.restart_interval);
  consider(limits_.resident_bytes_max != 0, seen.now + kMemoryInterval);
  const base::TimePoint idle_since = is_idle(seen) && seen.last_end ? *seen.last_end : seen.now;
  consider(is_on(limits_.inactivity_timeout), idle_since + limits_.inactivity_timeout);
  return next;
}

}  // namespace pyhost::worker
