// What the board says of requests that run.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "harness/group_board.h"

namespace pyhost::scoreboard {
namespace {

using namespace std::chrono_literals;
using test::GroupBoard;

constexpr pid_t kChild = 4711;

class RunningRequests : public testing::Test {
 protected:
  GroupBoard board_{1, 2, 4};
  const Tally tally_ = board_->tally(*board_->add_child(kChild));
  const base::TimePoint now_ = base::Clock::now();
};

TEST_F(RunningRequests, AreSeenUntilTheyEnd) {
  {
    RunningMark younger(tally_.row_for(now_)), older(tally_.row_for(now_ - 1h));
    older.describe("GET", "/reports", "4bf92f35");
    older.note_worker(3, 1234);
    const auto running = board_.map_again().running_requests();
    ASSERT_EQ(running.size(), 2u);
    EXPECT_EQ(running[0].began, now_ - 1h);
    EXPECT_EQ(running[0].method, "GET");
    EXPECT_EQ(running[0].path, "/reports");
    EXPECT_EQ(running[0].id, "4bf92f35");
    EXPECT_EQ(running[0].child, kChild);
    EXPECT_EQ(running[0].slot, 3u);
    EXPECT_EQ(running[0].worker, 1234);
    EXPECT_EQ(running[1].began, now_);
    EXPECT_EQ(running[1].path, "");
    EXPECT_EQ(running[1].slot, std::nullopt);
  }
  EXPECT_TRUE(board_->running_requests().empty());
}

TEST_F(RunningRequests, HaveNothingOfThoseBefore) {
  for (int i = 0; i < 10; ++i) {
    RunningMark mark(tally_.row_for(now_));
    mark.describe("POST", "/secret", "1");
    mark.note_worker(1, 2);
  }
  const RunningMark mark(tally_.row_for(now_));
  const auto running = board_->running_requests();
  ASSERT_EQ(running.size(), 1u);
  EXPECT_EQ(running[0].method, "");
  EXPECT_EQ(running[0].path, "");
  EXPECT_EQ(running[0].slot, std::nullopt);
}

TEST_F(RunningRequests, SayWhereTheirTextsWereCutOff) {
  RunningMark mark(tally_.row_for(now_));
  const std::string whole(kPathBytesMax, 'x');
  mark.describe("GET", whole, "");
  EXPECT_EQ(board_->running_requests().at(0).path, whole);
  for (const std::size_t length : {kPathBytesMax + 1, std::size_t{1} << 20}) {
    mark.describe(std::string(100, 'M'), std::string(length, 'x'), std::string(100, '1'));
    const auto running = board_->running_requests();
    EXPECT_EQ(running.at(0).path, std::string(kPathBytesMax - 3, 'x') + "...");
    EXPECT_EQ(running.at(0).method.size(), kMethodBytesMax);
    EXPECT_EQ(running.at(0).id.size(), kRequestIdBytesMax);
  }
}

TEST_F(RunningRequests, AreNobodysWhenTheirChildHasBeenKilled) {
  auto* killed = new RunningMark(tally_.row_for(now_));
  killed->describe("GET", "/", "1");
  killed->note_worker(0, 1);
  board_->forget_child(kChild);
  EXPECT_TRUE(board_->running_requests().empty());
  const Tally next = board_->tally(*board_->add_child(kChild + 1));
  const RunningMark mark(next.row_for(now_));
  EXPECT_EQ(board_->running_requests().at(0).path, "");
  delete killed;
}

TEST_F(RunningRequests, AreNotSeenWhenTheyAreTooMany) {
  const RunningMark marks[]{RunningMark(tally_.row_for(now_)), RunningMark(tally_.row_for(now_)),
                            RunningMark(tally_.row_for(now_)), RunningMark(tally_.row_for(now_))};
  RunningMark one_more(tally_.row_for(now_));
  one_more.describe("GET", "/", "1");
  one_more.note_worker(0, 1);
  EXPECT_EQ(board_->running_requests().size(), 4u);
}

TEST_F(RunningRequests, AreGivenAsSlowOnesOnce) {
  const RunningMark slow(tally_.row_for(now_ - 10s)), quick(tally_.row_for(now_));
  EXPECT_EQ(board_->take_slow_requests(now_ - 5s).size(), 1u);
  EXPECT_EQ(board_->take_slow_requests(now_ - 5s).size(), 0u);
  EXPECT_EQ(board_->take_slow_requests(now_ + 1s).size(), 1u);
}

// The texts of a request that is over are never those of another.
TEST_F(RunningRequests, AreReadWholeWhileOthersBegin) {
  std::atomic<bool> over = false;
  const auto serve = [&](char letter) {
    while (!over) {
      RunningMark mark(tally_.row_for(base::Clock::now()));
      mark.describe(std::string(8, letter), std::string(200, letter), std::string(32, letter));
    }
  };
  {
    std::jthread one(serve, 'a'), other(serve, 'b'), third(serve, 'c');
    for (int look = 0; look < 20'000; ++look) {
      for (const RunningRequest& seen : board_->running_requests()) {
        const std::string all = seen.method + seen.path + seen.id;
        ASSERT_EQ(all, std::string(all.size(), all.empty() ? ' ' : all.front()));
      }
    }
    over = true;
  }
  EXPECT_TRUE(board_->running_requests().empty());
}

}  // namespace
}  // namespace pyhost::scoreboard
