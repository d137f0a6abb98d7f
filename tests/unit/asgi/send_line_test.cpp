#include "asgi/send_line.h"

#include <gtest/gtest.h>

namespace pyhost::asgi {
namespace {

TEST(SendLine, ServesInTheOrderOfTheCalls) {
  SendLine line;
  EXPECT_TRUE(line.empty());
  const auto first = line.join();
  const auto second = line.join();
  EXPECT_TRUE(line.is_first(first));
  EXPECT_FALSE(line.is_first(second));
  line.leave(first);
  EXPECT_TRUE(line.is_first(second));
  EXPECT_FALSE(line.is_first(first));
}

TEST(SendLine, ClosesUpBehindWhoLeavesIt) {
  SendLine line;
  const auto first = line.join();
  const auto second = line.join();
  const auto third = line.join();
  line.leave(second);
  line.leave(first);
  EXPECT_TRUE(line.is_first(third));
  line.leave(third);
  line.leave(third);
  EXPECT_TRUE(line.empty());
}

}  // namespace
}  // namespace pyhost::asgi
