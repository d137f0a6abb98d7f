#include "metrics/scoreboard.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <climits>

#include "metrics/holding.h"

namespace pyhost::metrics {
namespace {

constexpr int kCauseShift = 16;
constexpr int kGenerationShift = 32;

std::uint64_t pack(const Death& death) noexcept {
  return std::uint64_t{death.generation} << kGenerationShift |
         static_cast<std::uint64_t>(death.cause) << kCauseShift | death.detail;
}

std::uint32_t generation_of(std::uint64_t packed_death) noexcept {
  return static_cast<std::uint32_t>(packed_death >> kGenerationShift);
}

constexpr int kPidShift = 32;

std::uint64_t pack_running(pid_t pid, std::uint32_t requests) noexcept {
  return std::uint64_t{static_cast<std::uint32_t>(pid)} << kPidShift | requests;
}

// Not what another worker has left there.
std::uint32_t running_of(const SlotRow& row) noexcept {
  const std::uint64_t running = row.running;
  const bool of_this_worker = running >> kPidShift == static_cast<std::uint32_t>(row.pid.load());
  return of_this_worker ? static_cast<std::uint32_t>(running) : 0;
}

std::uint32_t present_of(const SlotRow& row) noexcept {
  return row.present.load() % kPlaceCounts;
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
                                            std::uint32_t children_max,
                                            std::uint32_t waiters_of_child) {
  PH_TRY(memory, ScoreboardMemory::create(slots_of_group, children_max, waiters_of_child));
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
  return memory_.slots_of(group).count;
}

std::uint32_t Scoreboard::index_of(SlotId id) const noexcept {
  return memory_.slots_of(id.group).first + id.slot;
}

SlotRow& Scoreboard::row(SlotId id) const noexcept {
  return memory_.slots()[index_of(id)];
}

Holding& Scoreboard::holding_of(ChildSeat seat, const PlaceId& place) const noexcept {
  return memory_.places_of(seat.index, index_of(place.slot), place.count);
}

SlotStatus Scoreboard::status(SlotId id) const noexcept {
  const SlotRow& row = this->row(id);
  const std::uint64_t death = row.death;
  return {.state = SlotState(row.state.load()),
          .pid = row.pid.load(),
          .generation = row.generation.load(),
          .threads = row.threads.load(),
          .requests = row.requests.load(std::memory_order_relaxed),
          .outstanding = row.outstanding[present_of(row)].load(),
          .running = running_of(row),
          .kept_until_us = row.kept_until_us.load(),
          .last_death = {.cause = DeathCause(static_cast<std::uint8_t>(death >> kCauseShift)),
                         .detail = static_cast<std::uint16_t>(death),
                         .generation = generation_of(death),
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
  row.running = 0;
  row.kept_until_us = 0;
  // Should a third worker still be busy in the slot, the new one shares its count.
  row.present = 1 - present_of(row);
  row.state = static_cast<std::uint32_t>(SlotState::starting);
}

void Scoreboard::set_state(SlotId id, SlotState state) noexcept {
  row(id).state = static_cast<std::uint32_t>(state);
  queue(id.group).call_all();
}

void Scoreboard::keep_generation(SlotId id, std::int64_t successor_started_us) noexcept {
  row(id).kept_until_us = successor_started_us;
}

void Scoreboard::stop_group(std::uint32_t group) noexcept {
  memory_.groups()[group].stopped = 1;
  queue(group).call_all();
}

void Scoreboard::start_group(std::uint32_t group) noexcept {
  memory_.groups()[group].stopped = 0;
  queue(group).call_all();
}

bool Scoreboard::is_stopped(std::uint32_t group) const noexcept {
  return memory_.groups()[group].stopped != 0;
}

void Scoreboard::record_death(SlotId id, const Death& death) noexcept {
  SlotRow& row = this->row(id);
  if (death.generation >= generation_of(row.death)) {
    row.death_pid = death.pid;
    row.death_time_us = death.time_us;
    row.death = pack(death);
  }
  if (death.generation == row.generation) set_state(id, SlotState::dead);
  auto& deaths = memory_.groups()[id.group].deaths;
  ++deaths;
  wake_sleepers(deaths, INT_MAX);
}

void Scoreboard::forget_child(pid_t pid) noexcept {
  const auto children = memory_.children();
  const auto child =
      std::ranges::find_if(children, [pid](const ChildRow& row) { return row.pid.load() == pid; });
  if (child == children.end()) return;
  const auto index = static_cast<std::size_t>(child - children.begin());
  const auto slots = memory_.slots();
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    for (std::size_t count = 0; count < kPlaceCounts; ++count) {
      subtract(slots[slot].outstanding[count], memory_.places_of(index, slot, count).exchange(0));
    }
  }
  for (WaiterCell& cell : memory_.cells_of(index)) cell.arrival = 0;
  for (std::uint32_t group = 0; group < groups(); ++group) {
    queue(group).forget(index);
    queue(group).call_all();
  }
  child->pid = 0;
}

void Scoreboard::count_request(SlotId id) noexcept {
  row(id).requests.fetch_add(1, std::memory_order_relaxed);
}

void Scoreboard::note_running(SlotId id, pid_t pid, std::uint32_t requests) noexcept {
  SlotRow& row = this->row(id);
  if (row.pid != pid) return;
  const std::uint32_t before = running_of(row);
  row.running = pack_running(pid, requests);
  const bool child_makes_room = row.outstanding[present_of(row)] > requests;
  if (requests < before && !child_makes_room) queue(id.group).call_next();
}

bool Scoreboard::begin_draining(SlotId id, pid_t pid) noexcept {
  SlotRow& row = this->row(id);
  auto ready = static_cast<std::uint32_t>(SlotState::ready);
  auto draining = static_cast<std::uint32_t>(SlotState::draining);
  if (row.pid != pid || !row.state.compare_exchange_strong(ready, draining)) return false;
  if (row.pid == pid) return true;
  // Its successor has taken the slot over in between.
  row.state.compare_exchange_strong(draining, ready);
  queue(id.group).call_all();
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

std::optional<PlaceId> Scoreboard::take_place(ChildSeat seat, SlotId id) noexcept {
  SlotRow& row = this->row(id);
  if (running_of(row) >= row.threads) return std::nullopt;
  const PlaceId place{id, present_of(row)};
  const bool taken =
      take_one(holding_of(seat, place), row.outstanding[place.count], row.threads.load());
  return taken ? std::optional(place) : std::nullopt;
}

void Scoreboard::give_place_back(ChildSeat seat, const PlaceId& place) noexcept {
  give_one_back(holding_of(seat, place), row(place.slot).outstanding[place.count]);
  queue(place.slot.group).call_next();
}

std::optional<Death> Scoreboard::wait_for_death(SlotId id, std::uint32_t generation,
                                                std::chrono::milliseconds at_most) const noexcept {
  const Clock::time_point deadline = Clock::now() + at_most;
  const auto& deaths = memory_.groups()[id.group].deaths;
  while (true) {
    const std::uint32_t seen = deaths.load();
    const Death death = status(id).last_death;
    if (death.cause != DeathCause::none && death.generation >= generation) return death;
    if (Clock::now() >= deadline) return std::nullopt;
    sleep_on(deaths, seen, deadline);
  }
}

}  // namespace pyhost::metrics
