#include "scoreboard/worker_seat.h"

#include <gtest/gtest.h>

#include <vector>

#include "harness/group_board.h"

namespace pyhost::metrics {
namespace {

using test::GroupBoard;

constexpr std::uint32_t kFirst = 0;

GroupBoard three_slots() {
  return {3, 4, 4};
}

TEST(WorkerSeat, SaysWhichScriptsAWorkerRuns) {
  GroupBoard board = three_slots();
  EXPECT_TRUE(board->serves(kFirst, 11));
  board->begin_generation(kFirst, 100, 7, 2);
  WorkerSeat seat = board.seat(kFirst, 7);
  EXPECT_TRUE(board->serves(kFirst, 11));
  seat.lack(11);
  seat.lack(12);
  EXPECT_FALSE(board->serves(kFirst, 11));
  EXPECT_FALSE(board->serves(kFirst, 12));
  EXPECT_TRUE(board->serves(kFirst, 13));
  // The next one has nothing to do with that.
  board->begin_generation(kFirst, 200, 8, 2);
  EXPECT_TRUE(board->serves(kFirst, 11));
  const WorkerSeat next = board.seat(kFirst, 8);
  EXPECT_TRUE(board->serves(kFirst, 11));
}

TEST(WorkerSeat, KnowsOnlySoManyScriptsThatAWorkerLacks) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 7, 2);
  WorkerSeat seat = board.seat(kFirst, 7);
  for (std::uint64_t script = 0; script < 2 * kListedScriptsMax; ++script) seat.lack(script);
  EXPECT_FALSE(board->serves(kFirst, kListedScriptsMax - 1));
  EXPECT_TRUE(board->serves(kFirst, kListedScriptsMax));
}

TEST(WorkerSeat, FollowsAWorkerIntoAnotherRowWhereItRunsSomeScriptsOnly) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 7, 2);
  board->set_state(kFirst, SlotState::ready);
  WorkerSeat seat = board.seat(kFirst, 7);
  seat.count_request();
  board->begin_generation(1, 100, 7, 2);
  board->keep_generation(1, 1234);
  const std::vector<std::uint64_t> scripts{11, 12};
  EXPECT_FALSE(seat.move_to(99, 0, scripts));
  ASSERT_TRUE(seat.move_to(1, 0, scripts));
  seat.note_running(1);
  board->set_state(1, SlotState::ready);
  EXPECT_EQ(board->status(kFirst).state, SlotState::draining);
  EXPECT_EQ(board->status(1).state, SlotState::ready);
  EXPECT_EQ(board->status(1).requests, 1u);
  EXPECT_EQ(board->status(1).running, 1u);
  EXPECT_TRUE(board->serves(1, 11));
  EXPECT_TRUE(board->serves(1, 12));
  EXPECT_FALSE(board->serves(1, 13));
  EXPECT_EQ(seat.kept_until_us(), 1234);
  // What it lacks is not its to say there.
  seat.lack(11);
  EXPECT_TRUE(board->serves(1, 11));
  EXPECT_TRUE(seat.withdraw());
  EXPECT_EQ(board->status(1).state, SlotState::draining);
}

TEST(WorkerSeat, WithdrawsOnlyAReadyWorker) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 1, 1);
  WorkerSeat worker = board.seat(kFirst, 1);
  EXPECT_FALSE(worker.withdraw());
  board->set_state(kFirst, SlotState::ready);
  EXPECT_TRUE(worker.withdraw());
  EXPECT_FALSE(worker.withdraw());
  EXPECT_EQ(board->status(kFirst).state, SlotState::draining);
  worker.come_back();
  EXPECT_EQ(board->status(kFirst).state, SlotState::ready);
}

TEST(WorkerSeat, OfAWorkerThatWasReplacedDoesNotWithdrawItsSuccessor) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 101, 2, 1);
  board->set_state(kFirst, SlotState::ready);
  WorkerSeat worker = board.seat(kFirst, 1);
  EXPECT_FALSE(worker.withdraw());
  EXPECT_TRUE(worker.is_succeeded());
  EXPECT_EQ(board->status(kFirst).state, SlotState::ready);
}

TEST(WorkerSeat, NeedsASlot) {
  GroupBoard board = three_slots();
  EXPECT_FALSE(WorkerSeat::take(board.board_for_workers_fd(), board.reports_fd(), 3, 1, 0));
}

}  // namespace
}  // namespace pyhost::metrics
