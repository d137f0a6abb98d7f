#include "remote/log_allowance.h"

#include <gtest/gtest.h>

#include <string>

#include "base/clock.h"

namespace pyhost::remote {
namespace {

using namespace std::chrono_literals;

class LogAllowanceTest : public testing::Test {
 protected:
  const base::Clock::time_point start_{};
  LogAllowance allowance_{start_};
};

TEST_F(LogAllowanceTest, CountsWhatItLeavesOut) {
  for (int i = 0; i < LogAllowance::kRecordsAtOnce; ++i) {
    ASSERT_TRUE(allowance_.admit("text", start_));
  }
  EXPECT_EQ(allowance_.take_left_out().records, 0u);
  EXPECT_FALSE(allowance_.admit("text", start_));
  EXPECT_FALSE(allowance_.admit("two\nlines", start_));
  const auto [records, bytes] = allowance_.take_left_out();
  EXPECT_EQ(records, 3u);
  EXPECT_EQ(bytes, 13u);
  EXPECT_EQ(allowance_.take_left_out().records, 0u);
}

TEST_F(LogAllowanceTest, ComesBackWithTime) {
  const std::string line_ends(static_cast<std::size_t>(LogAllowance::kRecordsAtOnce) - 1, '\n');
  EXPECT_TRUE(allowance_.admit(line_ends, start_));
  EXPECT_FALSE(allowance_.admit("text", start_));
  EXPECT_TRUE(allowance_.admit("text", start_ + 1s));
  EXPECT_TRUE(allowance_.admit(line_ends, start_ + 1h));
  EXPECT_FALSE(allowance_.admit("text", start_ + 1h));
}

TEST_F(LogAllowanceTest, BoundsBytesToo) {
  const std::string long_line(1 << 20, 'x');
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(allowance_.admit(long_line, start_));
  EXPECT_FALSE(allowance_.admit(long_line, start_));
  EXPECT_TRUE(allowance_.admit(long_line, start_ + 2s));
}

}  // namespace
}  // namespace pyhost::remote
