#include "supervisor/group/slot_life.h"

#include <algorithm>
#include <cassert>

namespace pyhost::supervisor {

void SlotLife::renew(LifeLimits limits) noexcept {
  limits_ = limits;
  wanted_ = true;
  // What kept the old configuration from starting may be mended in the new one.
  forget_failures();
  for (Worker& worker : workers_) worker.outdate();
}

void SlotLife::outdate(base::TimePoint changed_at) noexcept {
  for (Worker& worker : workers_) {
    if (worker.is_up() && worker.started < changed_at) worker.outdate();
  }
  forget_failures();
}

void SlotLife::relieve(pid_t pid) noexcept {
  if (Worker* worker = find_up(pid)) worker->standing = Standing::relieved;
}

void SlotLife::stand_by(pid_t pid, Fallback fallback, base::TimePoint changed_at) noexcept {
  Worker* worker = find_up(pid);
  if (worker == nullptr) return;
  outdate(changed_at);
  worker->outdate();
  worker->state = SlotState::standby;
  worker->changed_at = changed_at;
  if (fallback == Fallback::off) worker->standing = Standing::relieved;
}

bool SlotLife::come_back(Failed failed) noexcept {
  if (failed == Failed::attempt) forget_failures();
  const auto pid = serving();
  if (!pid || up_to_date()) return false;
  Worker& worker = *find(*pid);
  worker.state = SlotState::ready;
  worker.standing = Standing::current;
  worker.drain_at.reset();
  return true;
}

bool SlotLife::release(base::TimePoint works_since) noexcept {
  if (up_to_date()) return false;  // its predecessor drains anyway
  bool any = false;
  for (Worker& worker : workers_) {
    if (worker.state != SlotState::standby || works_since < worker.changed_at) continue;
    worker.standing = Standing::released;
    succeeds_released_ = any = true;
  }
  return any;
}

bool SlotLife::detach(pid_t pid) noexcept {
  if (find_up(pid) == nullptr) return false;
  std::erase_if(workers_, [pid](const Worker& each) { return each.pid == pid; });
  return succeeds_released_ = true;
}

void SlotLife::spawned(pid_t pid, base::TimePoint now) {
  Worker worker{.pid = pid, .generation = ++generation_, .started = now};
  if (limits_.startup_max > base::Milliseconds(0)) {
    worker.kill_at = now + limits_.startup_max;
    worker.kill_reason = KillReason::startup_timeout;
  }
  workers_.push_back(worker);
}

void SlotLife::spawn_failed(base::TimePoint now) noexcept {
  note_failure(now);
}

void SlotLife::ready(pid_t pid, base::TimePoint now) noexcept {
  Worker* worker = find_starting(pid);
  if (worker == nullptr) return;
  for (Worker& older : workers_) {
    if (older.is_up()) older.outdate();
  }
  worker->state = SlotState::ready;
  worker->since = now;
  worker->kill_at.reset();
  succeeds_released_ = false;
}

void SlotLife::failed(pid_t pid, base::TimePoint now) noexcept {
  Worker* worker = find_starting(pid);
  if (worker == nullptr) return;
  worker->kill_at = now + kFarewell;
  worker->kill_reason = KillReason::startup_failed;
}

void SlotLife::draining(pid_t pid, base::TimePoint now) noexcept {
  if (Worker* worker = find_up(pid)) begin_draining(*worker, now);
}

LastState SlotLife::ended(pid_t pid, base::TimePoint now) noexcept {
  note_stability(now);
  const auto found = std::ranges::find(workers_, pid, &Worker::pid);
  assert(found != workers_.end());
  const Worker worker = *found;
  workers_.erase(found);
  if (worker.state == SlotState::starting) note_failure(now);
  if (worker.is_up() && now - worker.since < kEarlyDeath) {
    not_before_ = std::max(not_before_, now + kEarlyDeathPause);
  }
  return {.state = worker.state,
          .killed = worker.killed ? worker.kill_reason : KillReason::none,
          .generation = worker.generation};
}

std::vector<Order> SlotLife::step(base::TimePoint now, Renewal renewal) {
  std::vector<Order> orders;
  if (now >= not_before_) not_before_ = {};
  note_stability(now);
  kill_overdue(now, orders);
  terminate_superseded(now, orders);
  const bool replaces = to_be_replaced_or_null() != nullptr;
  if (wants_spawn(now) && (!replaces || renewal == Renewal::allowed)) {
    orders.push_back({.kind = Order::Kind::spawn, .generation = generation_ + 1});
  }
  return orders;
}

std::optional<base::TimePoint> SlotLife::next_deadline() const noexcept {
  std::optional<base::TimePoint> next;
  for (const Worker& worker : workers_) {
    next = base::earliest(next, worker.kill_at);
    if (worker.is_up()) next = base::earliest(next, worker.drain_at);
    if (failures_ > 0 && worker.is_current()) {
      next = base::earliest(next, worker.since + kStableTime);
    }
  }
  const bool waits = not_before_ != base::TimePoint() && wants_spawn(not_before_);
  return waits ? base::earliest(next, not_before_) : next;
}

std::optional<base::TimePoint> SlotLife::awaits_renewal(base::TimePoint now) const noexcept {
  const Worker* replaced = to_be_replaced_or_null();
  if (replaced == nullptr || !wants_spawn(now)) return std::nullopt;
  return replaced->started;
}

SlotState SlotLife::state() const noexcept {
  for (const SlotState best : {SlotState::ready, SlotState::standby, SlotState::starting}) {
    if (has(best)) return best;
  }
  return workers_.empty() ? SlotState::empty : SlotState::draining;
}

bool SlotLife::up_to_date() const noexcept {
  return std::ranges::any_of(workers_, &Worker::is_current);
}

std::optional<base::TimePoint> SlotLife::current_since() const noexcept {
  const auto current = std::ranges::find_if(workers_, &Worker::is_current);
  return current == workers_.end() ? std::nullopt : std::optional(current->started);
}

bool SlotLife::renewed_since(base::TimePoint moment) const noexcept {
  const auto stays_from_before = [moment](const Worker& worker) {
    return worker.state != SlotState::draining && worker.standing == Standing::current &&
           worker.started < moment;
  };
  // A slot whose starts fail waits before the next.
  return failures_ == 0 && std::ranges::none_of(workers_, stays_from_before);
}

bool SlotLife::may_come_back() const noexcept {
  return std::ranges::any_of(workers_, [](const Worker& worker) {
    return worker.state == SlotState::standby && worker.standing != Standing::relieved;
  });
}

std::optional<pid_t> SlotLife::serving() const noexcept {
  std::optional<pid_t> pid;
  for (const Worker& worker : workers_) {
    if (worker.is_up()) pid = worker.pid;
  }
  return pid;
}

base::Milliseconds SlotLife::back_off() const noexcept {
  constexpr unsigned kDoublingsMax = 5;
  return std::min(kShortestBackOff * (1 << std::min(failures_, kDoublingsMax)), kLongestBackOff);
}

SlotLife::Worker* SlotLife::find(pid_t pid) noexcept {
  const auto found = std::ranges::find(workers_, pid, &Worker::pid);
  return found == workers_.end() ? nullptr : &*found;
}

SlotLife::Worker* SlotLife::find_up(pid_t pid) noexcept {
  Worker* worker = find(pid);
  return worker != nullptr && worker->is_up() ? worker : nullptr;
}

SlotLife::Worker* SlotLife::find_starting(pid_t pid) noexcept {
  Worker* worker = find(pid);
  const bool starts = worker != nullptr && worker->state == SlotState::starting && !worker->killed;
  return starts ? worker : nullptr;
}

// The newest worker that a successor would run beside, to take its place.
const SlotLife::Worker* SlotLife::to_be_replaced_or_null() const noexcept {
  const Worker* replaced = nullptr;
  for (const Worker& worker : workers_) {
    const bool goes_later = worker.is_up() && worker.standing != Standing::current;
    if (goes_later || worker.standing == Standing::released) replaced = &worker;
  }
  return replaced;
}

bool SlotLife::has(SlotState state) const noexcept {
  return std::ranges::find(workers_, state, &Worker::state) != workers_.end();
}

bool SlotLife::wants_spawn(base::TimePoint now) const noexcept {
  if (!wanted_ || now < not_before_) return false;
  const auto is_or_will_be_current = [](const Worker& worker) {
    return worker.state != SlotState::draining && worker.standing == Standing::current;
  };
  if (std::ranges::any_of(workers_, is_or_will_be_current)) return false;
  // A slot holds one generation that serves and one that drains, never a queue of them.
  return to_be_replaced_or_null() == nullptr || extra_workers() == 0;
}

void SlotLife::note_stability(base::TimePoint now) noexcept {
  for (const Worker& worker : workers_) {
    if (worker.is_current() && now - worker.since >= kStableTime) failures_ = 0;
  }
}

void SlotLife::note_failure(base::TimePoint now) noexcept {
  not_before_ = now + back_off();
  ++failures_;
  for (Worker& worker : workers_) {
    if (worker.standing == Standing::relieved && !worker.drain_at) {
      worker.drain_at = now + limits_.drain_max;
    }
  }
}

void SlotLife::forget_failures() noexcept {
  not_before_ = {};
  failures_ = 0;
}

void SlotLife::begin_draining(Worker& worker, base::TimePoint now) const noexcept {
  worker.state = SlotState::draining;
  worker.since = now;
  worker.kill_at = now + limits_.drain_max;
  worker.kill_reason = KillReason::drain_timeout;
}

void SlotLife::kill_overdue(base::TimePoint now, std::vector<Order>& orders) noexcept {
  for (Worker& worker : workers_) {
    if (!worker.kill_at || now < *worker.kill_at) continue;
    worker.kill_at.reset();
    worker.killed = true;
    orders.push_back(
        {.kind = Order::Kind::kill, .pid = worker.pid, .generation = worker.generation});
  }
}

void SlotLife::terminate_superseded(base::TimePoint now, std::vector<Order>& orders) {
  // The newest may be out of date already, too: whatever is older has to go nevertheless.
  const std::optional<pid_t> newest = serving();
  for (Worker& worker : workers_) {
    if (worker.state == SlotState::draining || worker.killed) continue;
    const bool has_successor = worker.state == SlotState::starting || worker.pid != newest;
    const bool superseded = worker.standing != Standing::current && has_successor;
    const bool overdue = worker.drain_at && now >= *worker.drain_at;
    const bool released = worker.standing == Standing::released;
    if (wanted_ && !superseded && !overdue && !released) continue;
    begin_draining(worker, now);
    orders.push_back(
        {.kind = Order::Kind::terminate, .pid = worker.pid, .generation = worker.generation});
  }
}

}  // namespace pyhost::supervisor
