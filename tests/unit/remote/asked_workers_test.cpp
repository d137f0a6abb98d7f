#include "remote/asked_workers.h"

#include <gtest/gtest.h>

#include <chrono>

namespace pyhost::remote {
namespace {

using Kind = Setback::Kind;
using namespace std::chrono_literals;

constexpr std::size_t kSlots = 2;
constexpr std::uint32_t kSlot = 0;
constexpr std::uint32_t kWorker = 7;  // its generation
constexpr std::uint32_t kSuccessor = 8;

// One request; time is what the test says.
class AskedWorkersTest : public testing::Test {
 protected:
  void heed(Kind kind) { asked_.heed(kSlot, kWorker, {kind, "why"}, now_); }
  bool may_be_asked(std::uint32_t generation = kWorker) const {
    return asked_.may_be_asked(kSlot, generation, now_);
  }

  AskedWorkers asked_{kSlots};
  base::TimePoint now_{};
};

TEST_F(AskedWorkersTest, KnowNothingAgainstAnybodyAtFirst) {
  EXPECT_TRUE(may_be_asked());
  EXPECT_FALSE(asked_.any());
  EXPECT_EQ(asked_.last_reason(), "none is ready");
}

TEST_F(AskedWorkersTest, AreNeverAskedAgainWhenTheyCannotBeReached) {
  heed(Kind::unreachable);
  now_ += 24h;
  EXPECT_FALSE(may_be_asked());
  EXPECT_TRUE(may_be_asked(kSuccessor));
  EXPECT_FALSE(asked_.may_have_script_later(kSlot, kWorker, true));
  EXPECT_EQ(asked_.last_reason(), "why");
}

TEST_F(AskedWorkersTest, ArePostponedForAMomentWhenTheyAreHindered) {
  const base::TimePoint first = now_;
  heed(Kind::hindered);
  now_ += AskedWorkers::kPostponement - 1ms;
  EXPECT_FALSE(may_be_asked());
  EXPECT_TRUE(asked_.may_have_script_later(kSlot, kWorker, false));
  now_ += 1ms;
  EXPECT_TRUE(may_be_asked());
  heed(Kind::hindered);
  EXPECT_EQ(asked_.postponed_since(), first);
}

TEST_F(AskedWorkersTest, MayBeAskedAlthoughTheyLackTheScript) {
  heed(Kind::lacking);
  EXPECT_TRUE(may_be_asked());
  EXPECT_TRUE(asked_.lacks_script(kSlot, kWorker));
  EXPECT_FALSE(asked_.may_have_script_later(kSlot, kWorker, true));
  EXPECT_FALSE(asked_.lacks_script(kSlot, kSuccessor));
}

TEST_F(AskedWorkersTest, LoseNothingByHavingLeft) {
  heed(Kind::left);
  EXPECT_TRUE(may_be_asked());
  EXPECT_TRUE(asked_.any());
}

TEST_F(AskedWorkersTest, AreEnoughAfterTwiceAsManyAsThereAreSlotsAndOne) {
  for (const Kind kind : {Kind::unreachable, Kind::lacking, Kind::unreachable, Kind::lacking}) {
    heed(kind);
    EXPECT_FALSE(asked_.exhausted());
  }
  heed(Kind::unreachable);
  EXPECT_TRUE(asked_.exhausted());
}

TEST_F(AskedWorkersTest, AreLeftSoOftenWhenTheyAreSilentAndThenNoMore) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(asked_.may_leave());
    heed(Kind::silent);
  }
  EXPECT_FALSE(asked_.may_leave());
  EXPECT_FALSE(asked_.exhausted());
}

}  // namespace
}  // namespace pyhost::remote
