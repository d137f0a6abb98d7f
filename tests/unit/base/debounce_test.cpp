#include "base/debounce.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace pyhost::base {
namespace {

using namespace std::chrono_literals;

constexpr base::TimePoint kStart{1h};

TEST(Debounce, HasNothingToSayWithoutChanges) {
  Debounce settling;
  EXPECT_FALSE(settling.over_at());
  EXPECT_FALSE(settling.take(kStart));
}

TEST(Debounce, IsOverWhenNothingHasChangedForAWhile) {
  Debounce settling;
  settling.note(kStart);
  settling.note(kStart + 60ms);
  EXPECT_EQ(settling.over_at(), kStart + 60ms + Debounce::kQuiet);
  EXPECT_FALSE(settling.take(kStart + 159ms));
  EXPECT_TRUE(settling.take(kStart + 160ms));
}

TEST(Debounce, OfOneBurstIsTakenOnce) {
  Debounce settling;
  settling.note(kStart);
  EXPECT_TRUE(settling.take(kStart + 1s));
  EXPECT_FALSE(settling.take(kStart + 2s));
  settling.note(kStart + 2s);
  EXPECT_EQ(settling.over_at(), kStart + 2s + Debounce::kQuiet);
}

TEST(Debounce, DoesNotWaitForTheEndOfAnEndlessStream) {
  Debounce settling;
  base::TimePoint now = kStart;
  for (; now < kStart + Debounce::kLongest; now += 50ms) {
    settling.note(now);
    EXPECT_FALSE(settling.take(now));
  }
  settling.note(now);
  EXPECT_TRUE(settling.take(now));
}

}  // namespace
}  // namespace pyhost::base
