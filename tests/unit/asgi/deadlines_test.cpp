#include "asgi/deadlines.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <string>

#include "harness/wait.h"

namespace pyhost::asgi {
namespace {

using namespace std::chrono_literals;

bool is_due(const Deadlines<std::string>& deadlines, std::chrono::milliseconds patience) {
  pollfd timer{.fd = deadlines.fd(), .events = POLLIN, .revents = 0};
  return ::poll(&timer, 1, static_cast<int>(patience.count())) == 1;
}

TEST(Deadlines, AreDueInTheOrderOfTheirMoments) {
  Deadlines<std::string> deadlines;
  const base::TimePoint now = base::Clock::now();
  deadlines.add(now + 3s, "third");
  deadlines.add(now + 1s, "first");
  deadlines.add(now + 2s, "second");
  EXPECT_EQ(deadlines.take_due(now), std::nullopt);
  EXPECT_EQ(deadlines.take_due(now + 2s), "first");
  EXPECT_EQ(deadlines.take_due(now + 2s), "second");
  EXPECT_EQ(deadlines.take_due(now + 2s), std::nullopt);
  EXPECT_EQ(deadlines.take_due(now + 1h), "third");
  EXPECT_EQ(deadlines.take_due(now + 1h), std::nullopt);
}

TEST(Deadlines, SayThatTheFirstIsDue) {
  Deadlines<std::string> deadlines;
  EXPECT_FALSE(is_due(deadlines, 0ms));
  deadlines.add(base::Clock::now() + 1h, "late");
  EXPECT_FALSE(is_due(deadlines, 0ms));
  deadlines.add(base::Clock::now() + 1ms, "soon");
  EXPECT_TRUE(is_due(deadlines, test::kPatience));
  EXPECT_EQ(deadlines.take_due(base::Clock::now()), "soon");
  EXPECT_EQ(deadlines.take_due(base::Clock::now()), std::nullopt);
  EXPECT_FALSE(is_due(deadlines, 0ms));
}

}  // namespace
}  // namespace pyhost::asgi
