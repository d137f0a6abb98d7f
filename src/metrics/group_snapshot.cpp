#include "metrics/group_snapshot.h"

#include <algorithm>
#include <utility>

#include "scoreboard/board_rows.h"

namespace pyhost::metrics {
namespace {

using scoreboard::SlotState;
using scoreboard::SlotStatus;

bool is_ready(const SlotStatus& worker) noexcept {
  return worker.state == SlotState::ready;
}

// Whether it goes on because a successor could not start, or could not import all.
bool is_kept(const SlotStatus& worker) noexcept {
  const bool goes_on = is_ready(worker) || worker.state == SlotState::standby;
  return goes_on && worker.kept_until_us != 0;
}

bool lacks_scripts(const SlotStatus& worker) noexcept {
  return is_ready(worker) && worker.lacks_scripts;
}

bool is_degraded(const GroupSnapshot& group) noexcept {
  const auto is_kept_beside = [](const auto& keeper) { return is_kept(keeper.worker); };
  const auto is_not_current = [](const ScriptStatus& script) {
    return script.state != ScriptStatus::State::current;
  };
  return std::ranges::any_of(group.workers, is_kept) ||
         std::ranges::any_of(group.workers, lacks_scripts) ||
         std::ranges::any_of(group.keepers, is_kept_beside) ||
         std::ranges::any_of(group.scripts, is_not_current);
}

// Whether it was asked for scripts, and has none of them.
bool has_only_broken_scripts(const GroupSnapshot& group) noexcept {
  return !group.scripts.empty() && group.more_current_scripts == 0 &&
         std::ranges::all_of(group.scripts, [](const ScriptStatus& script) {
           return script.state == ScriptStatus::State::broken;
         });
}

// Those of which something is served come first: that one is there is what counts.
scoreboard::Trouble trouble_of(const ScriptStatus& script) {
  using Kind = scoreboard::Trouble::Kind;
  return {.kind = script.state == ScriptStatus::State::kept ? Kind::kept : Kind::broken,
          .since_us = script.since_us,
          .application_group = script.application_group,
          .script = script.script,
          .reason = script.reason};
}

void take_up(GroupSnapshot& group, const scoreboard::Troubles& troubles) {
  using State = ScriptStatus::State;
  group.more_current_scripts = troubles.current;
  for (const scoreboard::Trouble& trouble : troubles.told) {
    if (trouble.kind == scoreboard::Trouble::Kind::start) {
      group.reason = trouble.reason;
      continue;
    }
    const bool is_kept = trouble.kind == scoreboard::Trouble::Kind::kept;
    group.scripts.push_back({.application_group = trouble.application_group,
                             .script = trouble.script,
                             .state = is_kept ? State::kept : State::broken,
                             .reason = trouble.reason,
                             .since_us = trouble.since_us});
  }
}

}  // namespace

std::string_view name_of(GroupState state) noexcept {
  switch (state) {
    case GroupState::serving:
      return "serving";
    case GroupState::degraded:
      return "degraded";
    case GroupState::failing:
      return "failing";
    case GroupState::starting:
      return "starting";
    case GroupState::stopped:
      break;
  }
  return "stopped";
}

GroupSnapshot snapshot_of(const scoreboard::Scoreboard& board, std::string name, unsigned slots,
                          unsigned threads) {
  GroupSnapshot group{.name = std::move(name),
                      .stopped = board.is_stopped(),
                      .threads = threads,
                      .waiting = board.waiting()};
  for (unsigned row = 0; row < scoreboard::row_of(slots); ++row) {
    if (!scoreboard::is_keeper_row(row)) {
      group.workers.push_back(board.status(row));
    } else if (board.is_used(row)) {
      group.keepers.push_back({scoreboard::slot_of(row), board.status(row)});
    }
  }
  take_up(group, board.troubles());
  return group;
}

namespace {

// One that does not live is counted as its successor is expected to be.
unsigned places_of(const SlotStatus& worker, const GroupSnapshot& group) noexcept {
  const bool lives = worker.state != SlotState::empty && worker.state != SlotState::dead;
  return lives && worker.capacity != 0 ? worker.capacity : group.threads;
}

}  // namespace

unsigned places_of_worker(const GroupSnapshot& group) noexcept {
  unsigned most = 0;
  for (const SlotStatus& worker : group.workers) most = std::max(most, places_of(worker, group));
  return most;
}

unsigned places_of(const GroupSnapshot& group) noexcept {
  unsigned sum = 0;
  for (const SlotStatus& worker : group.workers) sum += places_of(worker, group);
  return sum;
}

scoreboard::Troubles troubles_of(const GroupSnapshot& group) {
  scoreboard::Troubles troubles;
  const auto take = [&](ScriptStatus::State wanted) {
    for (const ScriptStatus& script : group.scripts) {
      if (script.state == wanted) troubles.told.push_back(trouble_of(script));
    }
  };
  if (!group.reason.empty()) troubles.told.push_back({.reason = group.reason});
  take(ScriptStatus::State::kept);
  take(ScriptStatus::State::broken);
  troubles.number = static_cast<std::uint32_t>(troubles.told.size());
  troubles.current = group.more_current_scripts +
                     static_cast<std::uint32_t>(std::ranges::count(
                         group.scripts, ScriptStatus::State::current, &ScriptStatus::state));
  if (troubles.told.size() > scoreboard::kTroublesMax) {
    troubles.told.resize(scoreboard::kTroublesMax);
  }
  return troubles;
}

GroupState state_of(const GroupSnapshot& group) noexcept {
  if (group.stopped) return GroupState::stopped;
  const bool serves = std::ranges::any_of(group.workers, is_ready);
  if (serves && has_only_broken_scripts(group)) return GroupState::failing;
  if (is_degraded(group)) return GroupState::degraded;
  return serves ? GroupState::serving : GroupState::starting;
}

}  // namespace pyhost::metrics
