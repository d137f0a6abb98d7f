#include "metrics/group_snapshot.h"

#include <gtest/gtest.h>

#include "harness/group_board.h"
#include "scoreboard/board_rows.h"

namespace pyhost::metrics {
namespace {

using scoreboard::keeper_row;
using scoreboard::row_of;
using scoreboard::SlotState;
using scoreboard::SlotStatus;

constexpr std::int64_t kSuccessorStarted = 1234;

SlotStatus worker(SlotState state) {
  return {.state = state, .pid = 100, .generation = 1};
}

SlotStatus kept(SlotState state) {
  SlotStatus seen = worker(state);
  seen.kept_until_us = kSuccessorStarted;
  return seen;
}

ScriptStatus script(ScriptStatus::State state) {
  return {.script = "/srv/site.wsgi", .state = state};
}

TEST(GroupState, IsServingWithOneWorkerThatIsReady) {
  EXPECT_EQ(state_of({}), GroupState::starting);
  EXPECT_EQ(state_of({.workers = {worker(SlotState::starting), worker(SlotState::dead)}}),
            GroupState::starting);
  EXPECT_EQ(state_of({.workers = {worker(SlotState::dead), worker(SlotState::ready)}}),
            GroupState::serving);
  EXPECT_EQ(state_of({.workers = {worker(SlotState::standby)}}), GroupState::starting);
  EXPECT_EQ(state_of({.workers = {worker(SlotState::draining)}}), GroupState::starting);
}

TEST(GroupState, IsStoppedWhateverItsWorkersDo) {
  EXPECT_EQ(state_of({.stopped = true, .workers = {kept(SlotState::ready)}}), GroupState::stopped);
}

TEST(GroupState, IsDegradedWhileAWorkerGoesOnForASuccessorThatCouldNotStart) {
  EXPECT_EQ(state_of({.workers = {kept(SlotState::ready)}}), GroupState::degraded);
  EXPECT_EQ(state_of({.workers = {kept(SlotState::standby)}}), GroupState::degraded);
  EXPECT_EQ(state_of({.workers = {kept(SlotState::draining)}}), GroupState::starting);
  EXPECT_EQ(state_of({.workers = {kept(SlotState::dead), worker(SlotState::ready)}}),
            GroupState::serving);
}

TEST(GroupState, IsDegradedWhileAKeeperHasWhatTheWorkerOfItsSlotLacks) {
  GroupSnapshot group{.workers = {worker(SlotState::ready)},
                      .keepers = {{0, kept(SlotState::starting)}}};
  EXPECT_EQ(state_of(group), GroupState::serving);
  group.keepers.front().worker.state = SlotState::ready;
  EXPECT_EQ(state_of(group), GroupState::degraded);
  group.keepers.front().worker.state = SlotState::draining;
  EXPECT_EQ(state_of(group), GroupState::serving);
}

TEST(GroupState, IsDegradedWhileAWorkerLacksAScript) {
  SlotStatus lacking = worker(SlotState::ready);
  lacking.lacks_scripts = true;
  EXPECT_EQ(state_of({.workers = {worker(SlotState::ready), lacking}}), GroupState::degraded);
}

TEST(GroupState, IsFailingWhenNothingThatWasAskedForIsServed) {
  using State = ScriptStatus::State;
  GroupSnapshot group{.workers = {worker(SlotState::ready)}};
  group.scripts = {script(State::current)};
  EXPECT_EQ(state_of(group), GroupState::serving);
  group.scripts = {script(State::current), script(State::broken)};
  EXPECT_EQ(state_of(group), GroupState::degraded);
  group.scripts = {script(State::kept)};
  EXPECT_EQ(state_of(group), GroupState::degraded);
  group.scripts = {script(State::broken), script(State::broken)};
  EXPECT_EQ(state_of(group), GroupState::failing);
  group.workers.front().state = SlotState::starting;
  EXPECT_EQ(state_of(group), GroupState::degraded);
}

TEST(GroupSnapshot, HasTheWorkersAndTheKeepersOfTheScoreboard) {
  test::GroupBoard board(row_of(2), 1, 1);
  for (const unsigned row : {row_of(0), row_of(1), keeper_row(1, 1)}) {
    board->begin_generation(row, 100 + static_cast<pid_t>(row), 7, 5);
    board->set_state(row, SlotState::ready);
  }
  board->keep_generation(keeper_row(1, 1), kSuccessorStarted);
  const GroupSnapshot group = snapshot_of(*board, "blog", 2, 5);
  EXPECT_EQ(group.name, "blog");
  EXPECT_EQ(group.threads, 5u);
  ASSERT_EQ(group.workers.size(), 2u);
  EXPECT_EQ(group.workers[1].pid, 100 + static_cast<pid_t>(row_of(1)));
  ASSERT_EQ(group.keepers.size(), 1u);
  EXPECT_EQ(group.keepers.front().slot, 1u);
  EXPECT_EQ(group.keepers.front().worker.pid, 100 + static_cast<pid_t>(keeper_row(1, 1)));
  EXPECT_EQ(state_of(group), GroupState::degraded);
  board->stop_group();
  EXPECT_EQ(state_of(snapshot_of(*board, "blog", 2, 5)), GroupState::stopped);
}

// What the supervisor knows of scripts, as httpd's children have it from the board.
GroupSnapshot as_told(const GroupSnapshot& group) {
  test::GroupBoard board(row_of(1), 1, 1);
  board->begin_generation(row_of(0), 100, 1, 5);
  board->set_state(row_of(0), SlotState::ready);
  board->tell_troubles(troubles_of(group));
  return snapshot_of(*board, "shop", 1, 5);
}

TEST(GroupSnapshot, HasWhatIsBrokenFromTheSupervisor) {
  using State = ScriptStatus::State;
  GroupSnapshot group{
      .scripts = {script(State::current), script(State::broken), script(State::kept)},
      .reason = "it exited with code 3"};
  group.scripts[1].reason = "NameError: name 'shop' is not defined";
  group.scripts[1].application_group = "blog";
  group.scripts[1].since_us = 4711;
  const GroupSnapshot told = as_told(group);
  EXPECT_EQ(state_of(told), GroupState::degraded);
  EXPECT_EQ(told.reason, group.reason);
  EXPECT_EQ(told.more_current_scripts, 1u);
  ASSERT_EQ(told.scripts.size(), 2u);
  EXPECT_EQ(told.scripts[0].state, State::kept);
  EXPECT_EQ(told.scripts[1].state, State::broken);
  EXPECT_EQ(told.scripts[1].script, "/srv/site.wsgi");
  EXPECT_EQ(told.scripts[1].application_group, "blog");
  EXPECT_EQ(told.scripts[1].reason, group.scripts[1].reason);
  EXPECT_EQ(told.scripts[1].since_us, 4711);
}

TEST(GroupSnapshot, IsFailingFromTheBoardAsWell) {
  using State = ScriptStatus::State;
  EXPECT_EQ(state_of(as_told({})), GroupState::serving);
  EXPECT_EQ(state_of(as_told({.scripts = {script(State::current)}})), GroupState::serving);
  GroupSnapshot group;
  for (int i = 0; i < 20; ++i) group.scripts.push_back(script(State::broken));
  EXPECT_EQ(state_of(as_told(group)), GroupState::failing);
  group.scripts.push_back(script(State::kept));
  EXPECT_EQ(state_of(as_told(group)), GroupState::degraded);
  group.scripts.back() = script(State::current);
  EXPECT_EQ(state_of(as_told(group)), GroupState::degraded);
}

TEST(GroupSnapshot, HasWhatWorkersUse) {
  test::GroupBoard board(row_of(2), 1, 1);
  board->begin_generation(row_of(1), 200, 1, 5);
  board->note_usage(1, 200, 1 << 20, 5000);
  board->note_usage(1, 999, 7, 7);
  board->note_usage(77, 200, 7, 7);
  const SlotStatus seen = snapshot_of(*board, "blog", 2, 5).workers.at(1);
  EXPECT_EQ(seen.resident_bytes, 1u << 20);
  EXPECT_EQ(seen.processor_us, 5000u);
  board->begin_generation(row_of(1), 201, 2, 5);
  EXPECT_EQ(snapshot_of(*board, "blog", 2, 5).workers.at(1).resident_bytes, 0u);
}

}  // namespace
}  // namespace pyhost::metrics
