#include "scoreboard/report_writer.h"

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

TEST(ReportWriter, SaysWhichScriptsAWorkerRuns) {
  GroupBoard board = three_slots();
  EXPECT_TRUE(board->serves(kFirst, 11));
  board->begin_generation(kFirst, 100, 7, 2);
  scoreboard::ReportWriter writer = board.writer(kFirst, 7);
  EXPECT_TRUE(board->serves(kFirst, 11));
  writer.lack(11);
  writer.lack(12);
  EXPECT_FALSE(board->serves(kFirst, 11));
  EXPECT_FALSE(board->serves(kFirst, 12));
  EXPECT_TRUE(board->serves(kFirst, 13));
  // The next one has nothing to do with that.
  board->begin_generation(kFirst, 200, 8, 2);
  EXPECT_TRUE(board->serves(kFirst, 11));
  const scoreboard::ReportWriter next = board.writer(kFirst, 8);
  EXPECT_TRUE(board->serves(kFirst, 11));
}

TEST(ReportWriter, ChoosesACapacityWithinWhatTheSlotAllows) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 7, 2, 0, 5);
  scoreboard::ReportWriter writer = board.writer(kFirst, 7);
  EXPECT_EQ(board->status(kFirst).capacity, 2u);
  writer.set_capacity(4);
  EXPECT_EQ(board->status(kFirst).capacity, 4u);
  writer.set_capacity(1'000);
  EXPECT_EQ(board->status(kFirst).capacity, 5u);
  writer.set_capacity(0);
  EXPECT_EQ(board->status(kFirst).capacity, 2u);
  writer.set_capacity(4);
  board->begin_generation(kFirst, 100, 8, 2);
  EXPECT_EQ(board->status(kFirst).capacity, 2u);
  board.writer(kFirst, 8).set_capacity(4);
  EXPECT_EQ(board->status(kFirst).capacity, 2u);
}

TEST(ReportWriter, KnowsOnlySoManyScriptsThatAWorkerLacks) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 7, 2);
  scoreboard::ReportWriter writer = board.writer(kFirst, 7);
  for (std::uint64_t script = 0; script < 2 * scoreboard::kListedScriptsMax; ++script)
    writer.lack(script);
  EXPECT_FALSE(board->serves(kFirst, scoreboard::kListedScriptsMax - 1));
  EXPECT_TRUE(board->serves(kFirst, scoreboard::kListedScriptsMax));
}

TEST(ReportWriter, FollowsAWorkerIntoAnotherRowWhereItRunsSomeScriptsOnly) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 7, 2);
  board->set_state(kFirst, scoreboard::SlotState::ready);
  scoreboard::ReportWriter writer = board.writer(kFirst, 7);
  writer.count_request();
  board->begin_generation(1, 100, 7, 2);
  board->keep_generation(1, 1234);
  const std::vector<std::uint64_t> scripts{11, 12};
  EXPECT_FALSE(writer.move_to(99, 0, scripts));
  ASSERT_TRUE(writer.move_to(1, 0, scripts));
  writer.note_running(1);
  board->set_state(1, scoreboard::SlotState::ready);
  EXPECT_EQ(board->status(kFirst).state, scoreboard::SlotState::standby);
  EXPECT_EQ(board->status(1).state, scoreboard::SlotState::ready);
  EXPECT_EQ(board->status(1).requests, 1u);
  EXPECT_EQ(board->status(1).running, 1u);
  EXPECT_TRUE(board->serves(1, 11));
  EXPECT_TRUE(board->serves(1, 12));
  EXPECT_FALSE(board->serves(1, 13));
  EXPECT_EQ(writer.kept_until_us(), 1234);
  // What it lacks is not its to say there.
  writer.lack(11);
  EXPECT_TRUE(board->serves(1, 11));
  EXPECT_TRUE(writer.stand_by());
  EXPECT_EQ(board->status(1).state, scoreboard::SlotState::standby);
}

TEST(ReportWriter, LetsOnlyAReadyWorkerStandBy) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 1, 1);
  scoreboard::ReportWriter worker = board.writer(kFirst, 1);
  EXPECT_FALSE(worker.stand_by());
  board->set_state(kFirst, scoreboard::SlotState::ready);
  EXPECT_TRUE(worker.stand_by());
  EXPECT_FALSE(worker.stand_by());
  EXPECT_EQ(board->status(kFirst).state, scoreboard::SlotState::standby);
  worker.come_back();
  EXPECT_EQ(board->status(kFirst).state, scoreboard::SlotState::ready);
}

TEST(ReportWriter, DoesNotLetAWorkerComeBackThatIsAboutToEnd) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 1, 1);
  board->set_state(kFirst, scoreboard::SlotState::ready);
  scoreboard::ReportWriter worker = board.writer(kFirst, 1);
  EXPECT_TRUE(worker.stand_by());
  worker.drain();
  EXPECT_EQ(board->status(kFirst).state, scoreboard::SlotState::draining);
  worker.come_back();
  EXPECT_EQ(board->status(kFirst).state, scoreboard::SlotState::draining);
  EXPECT_FALSE(worker.stand_by());
}

TEST(ReportWriter, OfAWorkerThatWasReplacedLetsItsSuccessorServe) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 101, 2, 1);
  board->set_state(kFirst, scoreboard::SlotState::ready);
  scoreboard::ReportWriter worker = board.writer(kFirst, 1);
  EXPECT_FALSE(worker.stand_by());
  EXPECT_TRUE(worker.is_succeeded());
  EXPECT_EQ(board->status(kFirst).state, scoreboard::SlotState::ready);
}

TEST(ReportWriter, NeedsASlot) {
  GroupBoard board = three_slots();
  EXPECT_FALSE(
      scoreboard::ReportWriter::take(board.board_for_workers_fd(), board.reports_fd(), 3, 1, 0));
}

}  // namespace
}  // namespace pyhost::metrics
