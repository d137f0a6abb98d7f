#include "supervisor/group/keepers.h"

#include <algorithm>
#include <utility>

namespace pyhost::supervisor {

bool Keepers::takes(unsigned slot, unsigned place) const noexcept {
  return std::ranges::any_of(keepers_, [&](const auto& each) {
    return each.second.keeper.slot == slot && each.second.keeper.place == place;
  });
}

std::optional<unsigned> Keepers::free_place(unsigned slot) const noexcept {
  for (unsigned place = 0; place < scoreboard::kKeepersOfSlot; ++place) {
    if (!takes(slot, place)) return place;
  }
  return std::nullopt;
}

bool Keepers::awaits(unsigned slot) const noexcept {
  return std::ranges::any_of(keepers_, [slot](const auto& each) {
    return each.second.keeper.slot == slot && each.second.state == State::asked;
  });
}

void Keepers::ask(pid_t pid, Keeper keeper, base::TimePoint now) {
  keepers_[pid] = {.keeper = std::move(keeper), .deadline = now + kPatience};
}

bool Keepers::settle(pid_t pid) noexcept {
  const auto found = keepers_.find(pid);
  if (found == keepers_.end() || found->second.state != State::asked) return false;
  found->second.state = State::settled;
  return true;
}

void Keepers::draining(pid_t pid, base::TimePoint now) noexcept {
  const auto found = keepers_.find(pid);
  if (found == keepers_.end()) return;
  const State state = found->second.state;
  if (state == State::settled || state == State::leaving) begin_draining(found->second, now);
}

void Keepers::end(pid_t pid) noexcept {
  const auto found = keepers_.find(pid);
  if (found == keepers_.end() || found->second.state != State::settled) return;
  found->second.state = State::leaving;
}

void Keepers::end_all() noexcept {
  for (const auto& [pid, entry] : keepers_) end(pid);
}

void Keepers::end_needless(unsigned slot, const ScriptKeys& needed) noexcept {
  for (const auto& [pid, entry] : keepers_) {
    if (entry.keeper.slot == slot && !have_common(entry.keeper.scripts, needed)) end(pid);
  }
}

std::optional<LastState> Keepers::ended(pid_t pid) noexcept {
  const auto found = keepers_.find(pid);
  if (found == keepers_.end()) return std::nullopt;
  const Entry entry = std::move(found->second);
  keepers_.erase(found);
  if (entry.state == State::asked) return std::nullopt;
  const bool killed = entry.state == State::killed;
  const bool drains = killed || entry.state == State::draining;
  return LastState{.state = drains ? SlotState::draining : SlotState::ready,
                   .killed = killed ? KillReason::drain_timeout : KillReason::none,
                   .generation = entry.keeper.generation};
}

Keepers::Step Keepers::step(base::TimePoint now) {
  Step step;
  for (auto& [pid, entry] : keepers_) {
    const unsigned generation = entry.keeper.generation;
    if (entry.state == State::leaving) {
      begin_draining(entry, now);
      step.orders.push_back({.kind = Order::Kind::terminate, .pid = pid, .generation = generation});
    } else if (entry.state == State::draining && now >= entry.deadline) {
      entry.state = State::killed;
      step.orders.push_back({.kind = Order::Kind::kill, .pid = pid, .generation = generation});
    } else if (entry.state == State::asked && now >= entry.deadline) {
      step.disobedient.push_back(pid);
    }
  }
  for (const pid_t pid : step.disobedient) keepers_.erase(pid);
  return step;
}

std::optional<base::TimePoint> Keepers::next_deadline() const noexcept {
  std::optional<base::TimePoint> next;
  for (const auto& [pid, entry] : keepers_) {
    const bool waits = entry.state == State::asked || entry.state == State::draining;
    // What is to leave is told so at once.
    const base::TimePoint deadline = waits ? entry.deadline : base::TimePoint();
    if (!waits && entry.state != State::leaving) continue;
    next = base::earliest(next, deadline);
  }
  return next;
}

const Keepers::Keeper* Keepers::find_or_null(pid_t pid) const noexcept {
  const auto found = keepers_.find(pid);
  if (found == keepers_.end() || found->second.state == State::asked) return nullptr;
  return &found->second.keeper;
}

ScriptKeys Keepers::scripts_of(pid_t pid) const {
  const auto found = keepers_.find(pid);
  return found == keepers_.end() ? ScriptKeys() : found->second.keeper.scripts;
}

bool Keepers::any_in(unsigned slot) const noexcept {
  return std::ranges::any_of(keepers_,
                             [slot](const auto& each) { return each.second.keeper.slot == slot; });
}

ScriptKeys Keepers::scripts() const {
  ScriptKeys all;
  for_each([&all](pid_t, const Keeper& keeper) {
    all.insert(keeper.scripts.begin(), keeper.scripts.end());
  });
  return all;
}

void Keepers::begin_draining(Entry& entry, base::TimePoint now) const noexcept {
  entry.state = State::draining;
  entry.deadline = now + entry.keeper.drain_max;
}

}  // namespace pyhost::supervisor
