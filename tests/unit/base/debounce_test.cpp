#include "base/debounce.h"

#include <gtest/gtest.h>

namespace pyhost::lookout {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};

TEST(Settling, HasNothingToSayWithoutChanges) {
  Settling settling;
  EXPECT_FALSE(settling.over_at());
  EXPECT_FALSE(settling.take(kStart));
}

TEST(Settling, IsOverWhenNothingHasChangedForAWhile) {
  Settling settling;
  settling.note(kStart);
  settling.note(kStart + 60ms);
  EXPECT_EQ(settling.over_at(), kStart + 60ms + Settling::kQuiet);
  EXPECT_FALSE(settling.take(kStart + 159ms));
  EXPECT_TRUE(settling.take(kStart + 160ms));
}

TEST(Settling, OfOneBurstIsTakenOnce) {
  Settling settling;
  settling.note(kStart);
  EXPECT_TRUE(settling.take(kStart + 1s));
  EXPECT_FALSE(settling.take(kStart + 2s));
  settling.note(kStart + 2s);
  EXPECT_EQ(settling.over_at(), kStart + 2s + Settling::kQuiet);
}

TEST(Settling, DoesNotWaitForTheEndOfAnEndlessStream) {
  Settling settling;
  TimePoint now = kStart;
  for (; now < kStart + Settling::kLongest; now += 50ms) {
    settling.note(now);
    EXPECT_FALSE(settling.take(now));
  }
  settling.note(now);
  EXPECT_TRUE(settling.take(now));
}

}  // namespace
}  // namespace pyhost::lookout
