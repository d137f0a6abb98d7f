#include "pyhost/gateway/group_secret.h"

#include <gtest/gtest.h>

namespace pyhost::gateway {
namespace {

TEST(GroupSecret, IsAnotherEachTime) {
  const auto one = GroupSecret::make();
  const auto other = GroupSecret::make();
  ASSERT_TRUE(one && other);
  EXPECT_TRUE(one->matches(one->bytes()));
  EXPECT_FALSE(one->matches(other->bytes()));
  EXPECT_FALSE(one->matches(GroupSecret().bytes()));
}

TEST(GroupSecret, MatchesNothingOfAnotherLength) {
  const auto secret = GroupSecret::make();
  EXPECT_FALSE(secret->matches(""));
  EXPECT_FALSE(secret->matches(secret->bytes().substr(1)));
  EXPECT_FALSE(secret->matches(std::string(secret->bytes()) + "x"));
}

TEST(GroupSecret, SurvivesItsDigits) {
  const auto secret = GroupSecret::make();
  EXPECT_EQ(secret->hex().size(), 2 * GroupSecret::kBytes);
  const auto again = GroupSecret::of_hex(secret->hex());
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->matches(secret->bytes()));
  EXPECT_FALSE(GroupSecret::of_hex(""));
  EXPECT_FALSE(GroupSecret::of_hex(secret->hex() + "00"));
  EXPECT_FALSE(GroupSecret::of_hex(std::string(2 * GroupSecret::kBytes, 'g')));
  EXPECT_FALSE(GroupSecret::of_hex(std::string(2 * GroupSecret::kBytes, '-')));
}

TEST(GroupSecret, HasAllItsBytes) {
  EXPECT_TRUE(GroupSecret::of_bytes(std::string(GroupSecret::kBytes, '\0')));
  EXPECT_FALSE(GroupSecret::of_bytes("short"));
}

}  // namespace
}  // namespace pyhost::gateway
