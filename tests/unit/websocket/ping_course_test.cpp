#include "websocket/ping_course.h"

#include <gtest/gtest.h>

namespace pyhost::websocket {
namespace {

using namespace std::chrono_literals;
using Reading = PingCourse::Reading;
using Verdict = PingCourse::Verdict;

constexpr base::TimePoint kStart{1000s};

TEST(PingCourse, AsksAtEveryIntervalWhileTheClientAnswers) {
  PingCourse course(20s, 20s, kStart);
  EXPECT_EQ(course.due(), kStart + 20s);
  EXPECT_EQ(course.look(kStart + 19s, Reading::on), Verdict::wait);
  for (int i = 1; i < 5; ++i) {
    EXPECT_EQ(course.look(kStart + i * 20s, Reading::on), Verdict::ping);
    EXPECT_EQ(course.due(), kStart + (i + 1) * 20s);
    course.hear();
  }
}

TEST(PingCourse, LooksEarlierThanItAsksAgainWhenTheTimeoutIsShorter) {
  PingCourse course(20s, 5s, kStart);
  EXPECT_EQ(course.look(kStart + 20s, Reading::on), Verdict::ping);
  EXPECT_EQ(course.due(), kStart + 25s);
  course.hear();
  EXPECT_EQ(course.look(kStart + 25s, Reading::on), Verdict::wait);
  EXPECT_EQ(course.due(), kStart + 40s);
  EXPECT_EQ(course.look(kStart + 40s, Reading::on), Verdict::ping);
}

TEST(PingCourse, GivesUpAClientThatDoesNotAnswer) {
  PingCourse course(20s, 10s, kStart);
  EXPECT_EQ(course.look(kStart + 20s, Reading::on), Verdict::ping);
  EXPECT_EQ(course.look(kStart + 30s, Reading::on), Verdict::wait);
  EXPECT_EQ(course.due(), kStart + 31s);
  EXPECT_EQ(course.look(kStart + 31s, Reading::on), Verdict::gone);
}

TEST(PingCourse, BelievesInLifeUntilTheLastMoment) {
  PingCourse course(20s, 10s, kStart);
  EXPECT_EQ(course.look(kStart + 20s, Reading::on), Verdict::ping);
  EXPECT_EQ(course.look(kStart + 30s, Reading::on), Verdict::wait);
  course.hear();
  EXPECT_EQ(course.look(kStart + 31s, Reading::on), Verdict::wait);
  EXPECT_EQ(course.due(), kStart + 40s);
}

TEST(PingCourse, HoldsTimeInWhichNobodyLookedAgainstNoClient) {
  PingCourse course(20s, 10s, kStart);
  EXPECT_EQ(course.look(kStart + 20s, Reading::on), Verdict::ping);
  EXPECT_EQ(course.look(kStart + 90s, Reading::on), Verdict::wait);
  EXPECT_EQ(course.look(kStart + 200s, Reading::on), Verdict::wait);
  EXPECT_EQ(course.look(kStart + 201s, Reading::on), Verdict::gone);
}

TEST(PingCourse, HoldsNothingAgainstAClientThatIsNotRead) {
  PingCourse course(20s, 20s, kStart);
  EXPECT_EQ(course.look(kStart + 20s, Reading::on), Verdict::ping);
  EXPECT_EQ(course.look(kStart + 40s, Reading::paused), Verdict::ping);
  EXPECT_EQ(course.look(kStart + 60s, Reading::on), Verdict::wait);
}

}  // namespace
}  // namespace pyhost::websocket
