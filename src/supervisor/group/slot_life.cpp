#include "supervisor/group/slot_life.h"

#include <algorithm>
#include <cassert>

namespace pyhost::supervisor {

void SlotLife::renew(LifeLimits limits) noexcept {
  limits_ = limits;
  wanted_ = true;
  // What kept the old configuration from starting may be mended in the new one.
  not_before_ = {};
  failures_ = 0;
  for (Worker& worker : workers_) worker.outdated = true;
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
  Worker* worker = find(pid);
  if (worker == nullptr || worker->phase != WorkerPhase::starting || worker->killed) return;
  for (Worker& older : workers_) {
    if (older.phase == WorkerPhase::ready) older.outdated = true;
  }
  worker->phase = WorkerPhase::ready;
  worker->since = now;
  worker->kill_at.reset();
  one_let_go_ = false;
}

void SlotLife::failed(pid_t pid, base::TimePoint now) noexcept {
  Worker* worker = find(pid);
  if (worker == nullptr || worker->phase != WorkerPhase::starting || worker->killed) return;
  worker->kill_at = now + kFarewell;
  worker->kill_reason = KillReason::startup_failed;
}

void SlotLife::relieve(pid_t pid) noexcept {
  Worker* worker = find(pid);
  if (worker == nullptr || worker->phase != WorkerPhase::ready) return;
  worker->outdated = true;
  worker->relieved = true;
}

void SlotLife::outdate(base::TimePoint changed_at) noexcept {
  for (Worker& worker : workers_) {
    if (worker.phase == WorkerPhase::ready && worker.started < changed_at) worker.outdated = true;
  }
  not_before_ = {};
  failures_ = 0;
}

void SlotLife::withdraw(pid_t pid, Fallback fallback, base::TimePoint changed_at) noexcept {
  Worker* worker = find(pid);
  if (worker == nullptr || worker->phase != WorkerPhase::ready) return;
  outdate(changed_at);
  worker->outdated = true;
  worker->withdrawn = true;
  worker->changed_at = changed_at;
  if (fallback == Fallback::off) worker->relieved = true;
}

bool SlotLife::let_go(base::TimePoint works_since) noexcept {
  if (up_to_date()) return false;  // its predecessor drains anyway
  bool any = false;
  for (Worker& worker : workers_) {
    if (worker.phase != WorkerPhase::ready || !worker.withdrawn) continue;
    if (works_since < worker.changed_at) continue;
    worker.let_go = one_let_go_ = any = true;
  }
  return any;
}

bool SlotLife::fall_back() noexcept {
  const auto pid = serving();
  if (!pid || has(WorkerPhase::ready, false)) return false;
  Worker& worker = *find(*pid);
  worker.outdated = worker.relieved = worker.withdrawn = false;
  worker.drain_at.reset();
  return true;
}

bool SlotLife::release(pid_t pid) noexcept {
  const Worker* worker = find(pid);
  if (worker == nullptr || worker->phase != WorkerPhase::ready) return false;
  std::erase_if(workers_, [pid](const Worker& each) { return each.pid == pid; });
  return one_let_go_ = true;
}

void SlotLife::refresh() noexcept {
  for (Worker& worker : workers_) {
    if (worker.phase == WorkerPhase::ready) worker.outdated = true;
  }
}

void SlotLife::refreshed_in_vain() noexcept {
  fall_back();
  not_before_ = {};
  failures_ = 0;
}

void SlotLife::draining(pid_t pid, base::TimePoint now) noexcept {
  Worker* worker = find(pid);
  if (worker != nullptr && worker->phase == WorkerPhase::ready) begin_draining(*worker, now);
}

LastPhase SlotLife::ended(pid_t pid, base::TimePoint now) noexcept {
  note_stability(now);
  const auto worker = std::ranges::find(workers_, pid, &Worker::pid);
  assert(worker != workers_.end());
  const LastPhase last{.phase = worker->phase,
                       .killed = worker->killed ? worker->kill_reason : KillReason::none,
                       .generation = worker->generation};
  const bool early = now - worker->since < kEarlyDeath;
  workers_.erase(worker);
  if (last.phase == WorkerPhase::starting) note_failure(now);
  if (last.phase == WorkerPhase::ready && early) {
    not_before_ = std::max(not_before_, now + kEarlyDeathPause);
  }
  return last;
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
  const auto consider = [&next](base::TimePoint moment) {
    if (!next || moment < *next) next = moment;
  };
  for (const Worker& worker : workers_) {
    if (worker.kill_at) consider(*worker.kill_at);
    if (worker.drain_at && worker.phase == WorkerPhase::ready) consider(*worker.drain_at);
    if (failures_ > 0 && is_current(worker)) consider(worker.since + kStableTime);
  }
  if (not_before_ != base::TimePoint() && wants_spawn(not_before_)) consider(not_before_);
  return next;
}

std::optional<base::TimePoint> SlotLife::awaits_renewal(base::TimePoint now) const noexcept {
  const Worker* replaced = to_be_replaced_or_null();
  if (replaced == nullptr || !wants_spawn(now)) return std::nullopt;
  return replaced->started;
}

SlotState SlotLife::state() const noexcept {
  const auto any = [this](WorkerPhase phase) { return has(phase, false) || has(phase, true); };
  const auto serves = [](const Worker& worker) {
    return worker.phase == WorkerPhase::ready && !worker.withdrawn;
  };
  if (std::ranges::any_of(workers_, serves)) return SlotState::ready;
  if (any(WorkerPhase::ready)) return SlotState::draining;
  if (any(WorkerPhase::starting)) return SlotState::starting;
  return workers_.empty() ? SlotState::empty : SlotState::draining;
}

std::optional<base::TimePoint> SlotLife::current_since() const noexcept {
  const auto current = std::ranges::find_if(workers_, is_current);
  return current == workers_.end() ? std::nullopt : std::optional(current->started);
}

bool SlotLife::renewed_since(base::TimePoint moment) const noexcept {
  const auto stays_from_before = [moment](const Worker& worker) {
    return worker.phase != WorkerPhase::draining && !worker.outdated && worker.started < moment;
  };
  // A slot whose starts fail waits before the next.
  return failures_ == 0 && std::ranges::none_of(workers_, stays_from_before);
}

bool SlotLife::withdrawn() const noexcept {
  return std::ranges::any_of(workers_, [](const Worker& worker) {
    return worker.phase == WorkerPhase::ready && worker.withdrawn && !worker.relieved;
  });
}

std::optional<pid_t> SlotLife::serving() const noexcept {
  std::optional<pid_t> pid;
  for (const Worker& worker : workers_) {
    if (worker.phase == WorkerPhase::ready) pid = worker.pid;
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

// The newest worker that a successor would run beside, to take its place.
const SlotLife::Worker* SlotLife::to_be_replaced_or_null() const noexcept {
  const Worker* replaced = nullptr;
  for (const Worker& worker : workers_) {
    const bool serves = worker.phase == WorkerPhase::ready;
    if ((serves && worker.outdated) || (!serves && worker.let_go)) replaced = &worker;
  }
  return replaced;
}

bool SlotLife::is_current(const Worker& worker) noexcept {
  return worker.phase == WorkerPhase::ready && !worker.outdated;
}

bool SlotLife::has(WorkerPhase phase, bool outdated) const noexcept {
  return std::ranges::any_of(workers_, [&](const Worker& worker) {
    return worker.phase == phase && worker.outdated == outdated;
  });
}

bool SlotLife::wants_spawn(base::TimePoint now) const noexcept {
  if (!wanted_ || now < not_before_) return false;
  if (has(WorkerPhase::starting, false) || has(WorkerPhase::ready, false)) return false;
  // A slot holds one generation that serves and one that drains, never a queue of them.
  return to_be_replaced_or_null() == nullptr || extra_workers() == 0;
}

void SlotLife::note_stability(base::TimePoint now) noexcept {
  for (const Worker& worker : workers_) {
    if (is_current(worker) && now - worker.since >= kStableTime) failures_ = 0;
  }
}

void SlotLife::note_failure(base::TimePoint now) noexcept {
  not_before_ = now + back_off();
  ++failures_;
  for (Worker& worker : workers_) {
    if (worker.relieved && !worker.drain_at) worker.drain_at = now + limits_.drain_max;
  }
}

void SlotLife::begin_draining(Worker& worker, base::TimePoint now) const noexcept {
  worker.phase = WorkerPhase::draining;
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
    if (worker.phase == WorkerPhase::draining || worker.killed) continue;
    const bool superseded =
        worker.outdated && (worker.phase == WorkerPhase::starting || worker.pid != newest);
    const bool overdue = worker.drain_at && now >= *worker.drain_at;
    if (wanted_ && !superseded && !overdue && !worker.let_go) continue;
    begin_draining(worker, now);
    orders.push_back(
        {.kind = Order::Kind::terminate, .pid = worker.pid, .generation = worker.generation});
  }
}

}  // namespace pyhost::supervisor
