#include "worker/burst_meter.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace pyhost::worker {
namespace {

using namespace std::chrono_literals;

class PaceOfRequests : public testing::Test {
 protected:
  void end_windows(unsigned number, std::chrono::milliseconds each) {
    for (unsigned i = 0; i < number; ++i) bursts_.end_window(now_ += each);
  }

  base::TimePoint now_{};
  BurstMeter bursts_{now_};
};

TEST_F(PaceOfRequests, IsNotFastBeforeAnyWindowWas) {
  EXPECT_FALSE(bursts_.is_fast());
}

TEST_F(PaceOfRequests, IsAsFastAsTheLastWindow) {
  end_windows(1, BurstMeter::kFastWindow - 1ms);
  EXPECT_TRUE(bursts_.is_fast());
  end_windows(1, BurstMeter::kFastWindow);
  EXPECT_FALSE(bursts_.is_fast());
}

TEST_F(PaceOfRequests, HasToBeFastForTwiceAsLongAfterEachStall) {
  end_windows(1, 1ms);
  for (const unsigned needed : {2u, 4u, 8u}) {
    bursts_.note_stall();
    end_windows(needed - 1, 1ms);
    EXPECT_FALSE(bursts_.is_fast()) << needed;
    end_windows(1, 1ms);
    EXPECT_TRUE(bursts_.is_fast()) << needed;
  }
}

TEST_F(PaceOfRequests, IsTrustedAgainAfterALongTimeWithoutAStall) {
  for (int i = 0; i < 100; ++i) bursts_.note_stall();
  end_windows(2 * BurstMeter::kForgetAfter, 1ms);
  EXPECT_TRUE(bursts_.is_fast());
  bursts_.note_stall();
  end_windows(2, 1ms);
  EXPECT_TRUE(bursts_.is_fast());
}

TEST_F(PaceOfRequests, StartsAnewAfterASlowWindow) {
  bursts_.note_stall();
  end_windows(1, 1ms);
  end_windows(1, BurstMeter::kFastWindow);
  end_windows(1, 1ms);
  EXPECT_FALSE(bursts_.is_fast());
}

}  // namespace
}  // namespace pyhost::worker
