#include "metrics/scoreboard.h"

#include <fmt/format.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

namespace pyhost::metrics {
namespace {

using Counter = std::atomic<std::uint32_t>;

// A child that crashes between two counters leaves them one apart, always with too little in the
// total; stopping at zero makes it right again as soon as nothing is outstanding.
void subtract(Counter& counter, std::uint32_t amount) noexcept {
  std::uint32_t before = counter.load();
  while (!counter.compare_exchange_weak(before, before - std::min(before, amount))) {
  }
}

// Takes one of `places`; the holding first, so that a crash in between errs to the safe side.
bool take_one(Holding& holding, Counter& total, std::uint32_t places) noexcept {
  ++holding;
  std::uint32_t taken = total.load();
  while (taken < places) {
    if (total.compare_exchange_weak(taken, taken + 1)) return true;
  }
  --holding;
  return false;
}

void give_one_back(Holding& holding, Counter& total) noexcept {
  subtract(total, 1);
  subtract(holding, 1);
}

// Who sleeps for what on a group's word: a wake-up for one waiter must not go to the wrong kind.
constexpr std::uint32_t kForPlace = 1;
constexpr std::uint32_t kForDeath = 2;
using Clock = std::chrono::steady_clock;  // what the kernel calls CLOCK_MONOTONIC

void sleep_on(Counter& word, std::uint32_t seen, std::uint32_t kind,
              Clock::time_point deadline) noexcept {
  const auto since_boot = deadline.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
  const timespec until{.tv_sec = seconds.count(), .tv_nsec = (since_boot - seconds).count()};
  ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, seen, &until, nullptr, kind);
}

void wake_sleepers(Counter& word, std::uint32_t kind, int sleepers) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_BITSET, sleepers, nullptr, nullptr, kind);
}

constexpr int kCauseShift = 16;
constexpr int kGenerationShift = 32;

std::uint64_t pack(const Death& death) noexcept {
  return std::uint64_t{death.generation} << kGenerationShift |
         static_cast<std::uint64_t>(death.cause) << kCauseShift | death.detail;
}

std::string_view option_of(TimeoutKind kind) noexcept {
  switch (kind) {
    case TimeoutKind::startup:
      return "startup-timeout";
    case TimeoutKind::request:
      return "request-timeout";
    case TimeoutKind::deadlock:
      return "deadlock-timeout";
    case TimeoutKind::inactivity:
      return "inactivity-timeout";
    case TimeoutKind::shutdown:
      break;
  }
  return "shutdown-timeout";
}

}  // namespace

std::string_view name_of(SlotState state) noexcept {
  switch (state) {
    case SlotState::empty:
      return "empty";
    case SlotState::starting:
      return "starting";
    case SlotState::ready:
      return "ready";
    case SlotState::draining:
      return "draining";
    case SlotState::dead:
      break;
  }
  return "dead";
}

std::string describe(const Death& death) {
  switch (death.cause) {
    case DeathCause::none:
      return "has not ended";
    case DeathCause::exited:
      return fmt::format("exited with code {}", death.detail);
    case DeathCause::signal: {
      const char* name = ::sigabbrev_np(death.detail);
      return fmt::format("was killed by signal {} (SIG{})", death.detail,
                         name != nullptr ? name : "?");
    }
    case DeathCause::out_of_memory:
      return "was killed by the kernel for lack of memory";
    case DeathCause::timeout:
      break;
  }
  return fmt::format("was ended by {}", option_of(TimeoutKind(death.detail)));
}

base::Result<Scoreboard> Scoreboard::create(std::span<const std::uint32_t> slots_of_group,
                                            std::uint32_t children_max) {
  PH_TRY(memory, ScoreboardMemory::create(slots_of_group, children_max));
  return Scoreboard(std::move(memory));
}

base::Result<Scoreboard> Scoreboard::map(base::UniqueFd fd) {
  PH_TRY(memory, ScoreboardMemory::map(std::move(fd)));
  return Scoreboard(std::move(memory));
}

std::uint32_t Scoreboard::groups() const noexcept {
  return static_cast<std::uint32_t>(memory_.groups().size());
}

std::uint32_t Scoreboard::slots(std::uint32_t group) const noexcept {
  return memory_.groups()[group].slots;
}

std::uint32_t Scoreboard::index_of(SlotId id) const noexcept {
  return memory_.groups()[id.group].first_slot + id.slot;
}

SlotRow& Scoreboard::row(SlotId id) const noexcept {
  return memory_.slots()[index_of(id)];
}

Holding& Scoreboard::place_of(ChildSeat seat, SlotId id) const noexcept {
  return memory_.holdings_of(seat.index)[index_of(id)];
}

Holding& Scoreboard::queue_place_of(ChildSeat seat, std::uint32_t group) const noexcept {
  return memory_.holdings_of(seat.index)[memory_.slots().size() + group];
}

SlotStatus Scoreboard::status(SlotId id) const noexcept {
  const SlotRow& row = this->row(id);
  const std::uint64_t death = row.death.load();
  return {.state = SlotState(row.state.load()),
          .pid = row.pid.load(),
          .generation = row.generation.load(),
          .threads = row.threads.load(),
          .requests = row.requests.load(std::memory_order_relaxed),
          .outstanding = row.outstanding.load(),
          .kept_until_us = row.kept_until_us.load(),
          .last_death = {.cause = DeathCause(static_cast<std::uint8_t>(death >> kCauseShift)),
                         .detail = static_cast<std::uint16_t>(death),
                         .generation = static_cast<std::uint32_t>(death >> kGenerationShift),
                         .pid = row.death_pid.load(),
                         .time_us = row.death_time_us.load()}};
}

void Scoreboard::begin_generation(SlotId id, pid_t pid, std::uint32_t generation,
                                  std::uint32_t threads) noexcept {
  SlotRow& row = this->row(id);
  row.pid = pid;
  row.generation = generation;
  row.threads = threads;
  row.requests = 0;
  row.kept_until_us = 0;
  row.state = static_cast<std::uint32_t>(SlotState::starting);
}

void Scoreboard::set_state(SlotId id, SlotState state) noexcept {
  row(id).state = static_cast<std::uint32_t>(state);
  wake(id.group, INT_MAX);
}

void Scoreboard::keep_generation(SlotId id, std::int64_t successor_started_us) noexcept {
  row(id).kept_until_us = successor_started_us;
}

void Scoreboard::stop_group(std::uint32_t group) noexcept {
  memory_.groups()[group].stopped = 1;
  wake(group, INT_MAX);
}

void Scoreboard::start_group(std::uint32_t group) noexcept {
  memory_.groups()[group].stopped = 0;
  wake(group, INT_MAX);
}

bool Scoreboard::is_stopped(std::uint32_t group) const noexcept {
  return memory_.groups()[group].stopped != 0;
}

void Scoreboard::record_death(SlotId id, const Death& death) noexcept {
  SlotRow& row = this->row(id);
  row.death_pid = death.pid;
  row.death_time_us = death.time_us;
  row.death = pack(death);
  set_state(id, SlotState::dead);
  wake_for_death(id.group);
}

void Scoreboard::forget_child(pid_t pid) noexcept {
  const auto children = memory_.children();
  const auto child =
      std::ranges::find_if(children, [pid](const ChildRow& row) { return row.pid.load() == pid; });
  if (child == children.end()) return;
  const auto holdings = memory_.holdings_of(static_cast<std::size_t>(child - children.begin()));
  const auto slots = memory_.slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    subtract(slots[i].outstanding, holdings[i].exchange(0));
  }
  for (std::uint32_t group = 0; group < groups(); ++group) {
    subtract(memory_.groups()[group].waiting, holdings[slots.size() + group].exchange(0));
    wake(group, INT_MAX);
  }
  child->pid = 0;
}

void Scoreboard::count_request(SlotId id) noexcept {
  row(id).requests.fetch_add(1, std::memory_order_relaxed);
}

bool Scoreboard::begin_draining(SlotId id, pid_t pid) noexcept {
  SlotRow& row = this->row(id);
  auto ready = static_cast<std::uint32_t>(SlotState::ready);
  auto draining = static_cast<std::uint32_t>(SlotState::draining);
  if (row.pid != pid || !row.state.compare_exchange_strong(ready, draining)) return false;
  if (row.pid == pid) return true;
  // Its successor has taken the slot over in between.
  row.state.compare_exchange_strong(draining, ready);
  wake(id.group, INT_MAX);
  return false;
}

std::optional<ChildSeat> Scoreboard::take_seat(pid_t pid) noexcept {
  const auto children = memory_.children();
  for (std::uint32_t i = 0; i < children.size(); ++i) {
    std::int32_t nobody = 0;
    if (children[i].pid.compare_exchange_strong(nobody, pid)) return ChildSeat{i};
  }
  return std::nullopt;
}

bool Scoreboard::take_place(ChildSeat seat, SlotId id) noexcept {
  SlotRow& row = this->row(id);
  return take_one(place_of(seat, id), row.outstanding, row.threads.load());
}

void Scoreboard::give_place_back(ChildSeat seat, SlotId id) noexcept {
  give_one_back(place_of(seat, id), row(id).outstanding);
  wake(id.group, 1);
}

bool Scoreboard::enter_queue(ChildSeat seat, std::uint32_t group, std::uint32_t places) noexcept {
  return take_one(queue_place_of(seat, group), memory_.groups()[group].waiting, places);
}

void Scoreboard::leave_queue(ChildSeat seat, std::uint32_t group) noexcept {
  give_one_back(queue_place_of(seat, group), memory_.groups()[group].waiting);
  // Whoever gives up may have been the one that a free place has woken.
  wake(group, 1);
}

std::uint32_t Scoreboard::waiting(std::uint32_t group) const noexcept {
  return memory_.groups()[group].waiting.load();
}

std::uint32_t Scoreboard::changes(std::uint32_t group) const noexcept {
  return memory_.groups()[group].changes.load();
}

void Scoreboard::wait_for_change(std::uint32_t group, std::uint32_t seen,
                                 std::chrono::milliseconds at_most) const noexcept {
  sleep_on(memory_.groups()[group].changes, seen, kForPlace, Clock::now() + at_most);
}

std::optional<Death> Scoreboard::wait_for_death(SlotId id, std::uint32_t generation,
                                                std::chrono::milliseconds at_most) const noexcept {
  const Clock::time_point deadline = Clock::now() + at_most;
  while (true) {
    const std::uint32_t seen = changes(id.group);
    const Death death = status(id).last_death;
    if (death.cause != DeathCause::none && death.generation >= generation) return death;
    if (Clock::now() >= deadline) return std::nullopt;
    sleep_on(memory_.groups()[id.group].changes, seen, kForDeath, deadline);
  }
}

// The system call costs more than the rest of a release, so it is left out when nobody waits.
void Scoreboard::wake(std::uint32_t group, int waiters) noexcept {
  GroupRow& row = memory_.groups()[group];
  ++row.changes;
  if (row.waiting.load() != 0) wake_sleepers(row.changes, kForPlace, waiters);
}

void Scoreboard::wake_for_death(std::uint32_t group) noexcept {
  Counter& changes = memory_.groups()[group].changes;
  ++changes;
  wake_sleepers(changes, kForDeath, INT_MAX);
}

}  // namespace pyhost::metrics
