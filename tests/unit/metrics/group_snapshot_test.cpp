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

}  // namespace
}  // namespace pyhost::metrics
