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
  return !group.scripts.empty() &&
         std::ranges::all_of(group.scripts, [](const ScriptStatus& script) {
           return script.state == ScriptStatus::State::broken;
         });
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
  return group;
}

GroupState state_of(const GroupSnapshot& group) noexcept {
  if (group.stopped) return GroupState::stopped;
  const bool serves = std::ranges::any_of(group.workers, is_ready);
  if (serves && has_only_broken_scripts(group)) return GroupState::failing;
  if (is_degraded(group)) return GroupState::degraded;
  return serves ? GroupState::serving : GroupState::starting;
}

}  // namespace pyhost::metrics
