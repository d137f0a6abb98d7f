#include "worker/life_keeper.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/clock.h"
#include "base/out_of_memory.h"
#include "control/worker_report.h"
#include "os/own_process.h"
#include "pyhost/gateway/http_status.h"
#include "worker/stacks.h"

namespace pyhost::worker {
namespace {

using base::LogLevel;
using base::Message;
using StatusKind = control::StatusReport::Kind;
using Kind = LifeOrder::Kind;

double seconds_since(base::TimePoint moment) noexcept {
  return base::seconds(base::Clock::now() - moment);
}

std::string_view or_none(std::string_view stacks) noexcept {
  return stacks.empty() ? "no request runs in an interpreter" : stacks;
}

}  // namespace

std::optional<Farewell> LifeKeeper::advance(std::uint64_t served) noexcept {
  short_of_memory_ = false;
  return base::unless_out_of_memory([&] { return do_what_is_due(served); },
                                    [this]() -> std::optional<Farewell> {
                                      short_of_memory_ = true;
                                      return std::nullopt;
                                    });
}

std::optional<base::TimePoint> LifeKeeper::next_deadline() const noexcept {
  constexpr std::chrono::milliseconds kUntilThereMayBeMemory{50};
  if (short_of_memory_) return base::Clock::now() + kUntilThereMayBeMemory;
  return life_.next_deadline();
}

// An order is taken from the list when it has been carried out: most may be repeated, and each is
// given only once.
std::optional<Farewell> LifeKeeper::do_what_is_due(std::uint64_t served) {
  const Observation seen = observe(served);
  orders_.reserve(orders_.size() + WorkerLife::orders_max(seen));
  std::ranges::copy(life_.step(seen), std::back_inserter(orders_));
  std::optional<Farewell> farewell;
  for (; !orders_.empty(); orders_.erase(orders_.begin())) {
    if (const auto ends = carry_out(orders_.front())) farewell = ends;
  }
  return farewell;
}

Observation LifeKeeper::observe(std::uint64_t served) {
  observed_at_ = base::Clock::now();
  stacks_.reset();
  running_ = worker_.pool.requests_running();
  Observation seen{.now = observed_at_,
                   .running = running_,
                   .active = worker_.pool.requests_active(),
                   .sockets = worker_.pool.sockets(),
                   .served = served,
                   .last_end = worker_.pool.last_end()};
  if (worker_.limits.resident_bytes_max != 0) seen.resident_bytes = os::resident_bytes();
  if (watch_or_null_ == nullptr) {
    seen.script_loaded = true;
    return seen;
  }
  seen.script_loaded = watch_or_null_->imports() != 0;
  gateway::EngineWatch::LoopProbe loops = watch_or_null_->probe_loops();
  loop_wait_ = std::move(loops.longest);
  seen.has_loops = loops.any;
  if (loop_wait_) seen.loop_blocked_since = loop_wait_->since;
  // Whoever cuts requests off is to know whether they keep a lock.
  if (worker_.limits.deadlock_timeout.count() != 0 || life_.draining()) {
    lock_wait_ = watch_or_null_->probe_locks();
    if (lock_wait_) seen.lock_waited_since = lock_wait_->since;
  }
  return seen;
}

std::optional<Farewell> LifeKeeper::carry_out(const LifeOrder& order) {
  switch (order.kind) {
    case Kind::interrupt:
      announce_interruption(order.request);
      interrupt(order.request);
      break;
    case Kind::interrupt_again:
      interrupt(order.request);
      break;
    case Kind::give_up:
      announce_giving_up(order.request);
      give_up(order.request);
      break;
    case Kind::give_up_again:
      give_up(order.request);
      break;
    case Kind::name_blocked:
      name_blocked_loop();
      break;
    case Kind::ask_successor:
      control::report({.kind = StatusKind::relieve, .reason = order.reason});
      break;
    case Kind::drain:
      drain(order.reason);
      break;
    case Kind::hurry_sockets:
      worker_.pool.drain(leaving());
      break;
    case Kind::end:
      base::if_memory_allows([this] { name_what_is_cut_off(); });
      return Farewell::orderly;
    case Kind::end_at_once:
      base::if_memory_allows([this] { end_stuck(); });
      return Farewell::at_once;
  }
  return std::nullopt;
}

// To its log, or, when it is over, to the process's.
void LifeKeeper::note(const RunningRequest& request, LogLevel level, Message message,
                      std::string_view text) {
  const bool there = worker_.pool.with(request, [&](WatchedRequest& watched) {
    watched.note(request.number, level, message, text);
  });
  if (!there) worker_.log.log(level, message, text);
}

void LifeKeeper::announce_interruption(const RunningRequest& request) {
  note(request, LogLevel::warn, Message::request_interrupted,
       fmt::format("{}, longer than request-timeout; it is interrupted", phrase(request)));
  // Before the interruption, behind which the request may be over.
  note(request, LogLevel::warn, Message::busy_stacks, stacks());
}

void LifeKeeper::interrupt(const RunningRequest& request) {
  if (watch_or_null_ == nullptr) return;
  // If that is over, what runs there now began after we looked.
  worker_.pool.with(request, [this](WatchedRequest& watched) {
    watch_or_null_->interrupt(watched.caller(), observed_at_);
  });
}

void LifeKeeper::announce_giving_up(const RunningRequest& request) {
  note(request, LogLevel::error, Message::request_given_up, cause_of_giving_up(request));
  if (worker_.limits.interrupt_timeout.count() == 0) {
    note(request, LogLevel::error, Message::busy_stacks, stacks());
  }
}

void LifeKeeper::give_up(const RunningRequest& request) {
  if (give_up(request, gateway::FailureCause::request_timeout, cause_of_giving_up(request))) {
    life_.gave_up(request);
  }
}

// False when it is as it was.
bool LifeKeeper::give_up(const RunningRequest& request, gateway::FailureCause failure,
                         std::string_view cause) {
  bool done = true;
  worker_.pool.with(request, [&](WatchedRequest& watched) {
    done = watched.give_up(request.number, failure, cause);
  });
  return done;
}

std::string LifeKeeper::cause_of_giving_up(const RunningRequest& request) {
  return fmt::format("{}, longer than request-timeout; {} is replaced", phrase(request),
                     worker_.label);
}

void LifeKeeper::drain(EndReason reason) {
  worker_.log.log(LogLevel::info, Message::worker_draining,
                  fmt::format("{} takes no more requests: {}", worker_.label, name_of(reason)));
  worker_.report.drain();
  // Applications hear of it before their WebSockets are closed.
  worker_.python.announce_stop(told_reason(reason));
  worker_.pool.drain(leaving());
  if (reason == EndReason::stopped) return;
  control::report({.kind = StatusKind::draining, .reason = reason});
  if (reason != EndReason::startup_timeout) return;
  worker_.log.log(LogLevel::error, Message::busy_stacks,
                  fmt::format("{} has not finished an import within startup-timeout\n{}",
                              worker_.label, stacks()));
}

gateway::Leaving LifeKeeper::leaving() const noexcept {
  return life_.hurried() ? gateway::Leaving::stop : gateway::Leaving::restart;
}

// The supervisor's SIGTERM does not say what it comes for.
std::string_view LifeKeeper::told_reason(EndReason reason) const {
  if (reason != EndReason::stopped || life_.hurried()) return shutdown_reason(reason);
  if (worker_.standby.stands_by()) return "script_reload";
  if (const auto asked_for = life_.successor_asked_for()) return shutdown_reason(*asked_for);
  return worker_.report.is_succeeded() ? "graceful_signal" : shutdown_reason(reason);
}

void LifeKeeper::end_stuck() {
  const std::string cause =
      fmt::format("the lock of {} could not be had for {:.3f} s, deadlock-timeout; {} ends",
                  lock_wait_->interpreter, seconds_since(lock_wait_->since), worker_.label);
  std::string text = cause;
  for (const RunningRequest& request : running_) text += "\n" + phrase(request);
  text += "\n" + watch_or_null_->stacks_without_lock();
  worker_.log.log(LogLevel::error, Message::lock_stuck, text);
  worker_.report.drain();
  worker_.pool.drain(leaving());
  control::report({.kind = StatusKind::draining, .reason = EndReason::deadlock_timeout});
  for (const RunningRequest& request : running_) {
    note(request, LogLevel::error, Message::lock_stuck, cause);
    // The process ends: whoever is sending at this moment is cut off.
    static_cast<void>(give_up(request, gateway::FailureCause::deadlock_timeout, cause));
  }
}

// What stands in the stack of the loop's thread is what everybody else waits for.
void LifeKeeper::name_blocked_loop() {
  const std::string& running = stacks();
  worker_.log.log(LogLevel::warn, Message::loop_blocked,
                  fmt::format("the event loop of {} has not turned for {:.3f} s, so all that it "
                              "serves waits for what it runs\n{}",
                              loop_wait_->interpreter, seconds_since(loop_wait_->since), running));
}

void LifeKeeper::name_what_is_cut_off() {
  // One that is only on its way to another worker is active too, and is not cut off.
  if (running_.empty() || worker_.pool.requests_active() == 0) return;
  std::string text =
      fmt::format("{} ends with {} requests running", worker_.label, running_.size());
  for (const RunningRequest& request : running_) text += "; " + phrase(request);
  // Any thread waits for a moment.
  constexpr double kNotableSeconds = 0.1;
  if (lock_wait_ && seconds_since(lock_wait_->since) >= kNotableSeconds) {
    text += fmt::format("; the lock of {} could not be had for {:.3f} s", lock_wait_->interpreter,
                        seconds_since(lock_wait_->since));
    watch_or_null_->lock_wait_told();
  }
  worker_.log.log(LogLevel::warn, Message::drain_overrun, text);
}

std::string LifeKeeper::phrase(const RunningRequest& request) {
  std::string script;
  worker_.pool.with(request,
                    [&](WatchedRequest& watched) { script = watched.script_of(request.number); });
  return fmt::format("{} has {} for {:.3f} s in {}", script.empty() ? "a request" : script,
                     request.importing ? "been imported" : "run", seconds_since(request.began),
                     ThreadPool::runner_of(request));
}

// One look serves all that are overdue: whoever keeps a lock costs it its whole patience.
const std::string& LifeKeeper::stacks() {
  if (!stacks_) stacks_ = look_at_stacks();
  return *stacks_;
}

std::string LifeKeeper::look_at_stacks() const {
  if (watch_or_null_ == nullptr) return "";
  return std::string(or_none(collect_stacks(*watch_or_null_, gateway::StackOwners::calls)));
}

}  // namespace pyhost::worker
