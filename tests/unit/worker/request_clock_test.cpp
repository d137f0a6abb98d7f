#include "worker/request_clock.h"

#include <gtest/gtest.h>

#include <chrono>

namespace pyhost::worker {
namespace {

using namespace std::chrono_literals;

class RequestClockTest : public testing::Test {
 protected:
  base::TimePoint at(std::chrono::milliseconds moment) const { return start_ + moment; }

  const base::TimePoint start_ = base::Clock::now();
  RequestClock clock_;
};

TEST_F(RequestClockTest, ShowsNothingBeforeTheFirstRequest) {
  EXPECT_FALSE(clock_.running());
  EXPECT_FALSE(clock_.last_end());
  EXPECT_FALSE(clock_.runs(0));
}

TEST_F(RequestClockTest, CountsTheTimeOfARequestFromItsBegin) {
  clock_.begin(at(10ms));
  ASSERT_TRUE(clock_.running());
  EXPECT_EQ(clock_.running()->began, at(10ms));
  EXPECT_FALSE(clock_.running()->importing);
  clock_.end(at(30ms), true);
  EXPECT_FALSE(clock_.running());
  EXPECT_EQ(clock_.last_end(), at(30ms));
}

TEST_F(RequestClockTest, LeavesTheTimeOfAnImportOut) {
  clock_.begin(at(10ms));
  clock_.import_begins(at(11ms));
  EXPECT_TRUE(clock_.running()->importing);
  EXPECT_EQ(clock_.running()->began, at(11ms));
  clock_.import_ended(at(90ms));
  EXPECT_FALSE(clock_.running()->importing);
  EXPECT_EQ(clock_.running()->began, at(90ms));
}

TEST_F(RequestClockTest, TakesNoNoticeOfARequestThatIsNoActivity) {
  clock_.begin(at(10ms));
  clock_.end(at(20ms), false);
  EXPECT_FALSE(clock_.last_end());
  clock_.begin(at(30ms));
  clock_.end(at(40ms), true);
  clock_.begin(at(50ms));
  clock_.end(at(60ms), false);
  EXPECT_FALSE(clock_.running());
  EXPECT_EQ(clock_.last_end(), at(40ms));
}

TEST_F(RequestClockTest, TellsOneRequestFromTheNext) {
  clock_.begin(at(10ms));
  const std::uint64_t first = clock_.running()->number;
  EXPECT_TRUE(clock_.runs(first));
  clock_.end(at(20ms), true);
  EXPECT_FALSE(clock_.runs(first));
  clock_.begin(at(30ms));
  EXPECT_FALSE(clock_.runs(first));
  EXPECT_NE(clock_.running()->number, first);
}

}  // namespace
}  // namespace pyhost::worker
