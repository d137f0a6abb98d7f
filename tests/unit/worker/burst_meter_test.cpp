#include "worker/burst_meter.h"

#include <gtest/gtest.h>

namespace pyhost::worker {
namespace {

using namespace std::chrono_literals;

class PaceOfRequests : public testing::Test {
 protected:
  void end_windows(unsigned number, std::chrono::milliseconds each) {
    for (unsigned i = 0; i < number; ++i) pace_.end_window(now_ += each);
  }

  Pace::TimePoint now_{};
  Pace pace_{now_};
};

TEST_F(PaceOfRequests, IsNotFastBeforeAnyWindowWas) {
  EXPECT_FALSE(pace_.is_fast());
}

TEST_F(PaceOfRequests, IsAsFastAsTheLastWindow) {
  end_windows(1, Pace::kFastWindow - 1ms);
  EXPECT_TRUE(pace_.is_fast());
  end_windows(1, Pace::kFastWindow);
  EXPECT_FALSE(pace_.is_fast());
}

TEST_F(PaceOfRequests, HasToBeFastForTwiceAsLongAfterEachStall) {
  end_windows(1, 1ms);
  for (const unsigned needed : {2u, 4u, 8u}) {
    pace_.note_stall();
    end_windows(needed - 1, 1ms);
    EXPECT_FALSE(pace_.is_fast()) << needed;
    end_windows(1, 1ms);
    EXPECT_TRUE(pace_.is_fast()) << needed;
  }
}

TEST_F(PaceOfRequests, IsTrustedAgainAfterALongTimeWithoutAStall) {
  for (int i = 0; i < 100; ++i) pace_.note_stall();
  end_windows(2 * Pace::kForgetAfter, 1ms);
  EXPECT_TRUE(pace_.is_fast());
  pace_.note_stall();
  end_windows(2, 1ms);
  EXPECT_TRUE(pace_.is_fast());
}

TEST_F(PaceOfRequests, StartsAnewAfterASlowWindow) {
  pace_.note_stall();
  end_windows(1, 1ms);
  end_windows(1, Pace::kFastWindow);
  end_windows(1, 1ms);
  EXPECT_FALSE(pace_.is_fast());
}

}  // namespace
}  // namespace pyhost::worker
