// Doubt about a worker: what it takes to end it.
#include "supervisor/group/vigil.h"

#include <gtest/gtest.h>

namespace pyhost::supervisor {
namespace {

using Need = Vigil::Need;

constexpr WorkerSight kFine{.has_thread = true};
constexpr WorkerSight kSilent{.silent = true, .has_thread = true};
constexpr WorkerSight kSilentAndBusy{.silent = true};
constexpr WorkerSight kWanted{.wanted = true};
constexpr int kLooks = Vigil::kPatience / Vigil::kBetweenLooks;

class VigilTest : public testing::Test {
 protected:
  // Looks until it needs something else; how often that was.
  int looks_while(Need need, const WorkerSight& sight) {
    for (int looks = 0;; ++looks) {
      last_ = vigil_.look(sight);
      if (last_ != need) return looks;
    }
  }

  Vigil vigil_;
  Need last_{};
};

TEST_F(VigilTest, IsNotKeptOverAWorkerThatServes) {
  EXPECT_EQ(vigil_.look(kFine), Need::nothing);
  EXPECT_FALSE(vigil_.kept());
}

TEST_F(VigilTest, EndsWhenASilentWorkerAnswersAndGreets) {
  EXPECT_EQ(vigil_.look(kSilent), Need::answer);
  EXPECT_EQ(vigil_.answered(kSilent), Need::greeting);
  EXPECT_TRUE(vigil_.kept());
  vigil_.greeted();
  EXPECT_FALSE(vigil_.kept());
}

TEST_F(VigilTest, NeedsNoGreetingOfAWorkerThatIsOnlyWantedOrBusy) {
  for (const WorkerSight& sight : {kWanted, kSilentAndBusy}) {
    EXPECT_EQ(vigil_.look(sight), Need::answer);
    EXPECT_EQ(vigil_.answered(sight), Need::nothing);
    EXPECT_FALSE(vigil_.kept());
  }
}

TEST_F(VigilTest, EndsWhenWhatIsWantedIsAnswered) {
  EXPECT_EQ(vigil_.look(kWanted), Need::answer);
  EXPECT_EQ(vigil_.look(kFine), Need::answer);
  EXPECT_EQ(vigil_.answered(kFine), Need::nothing);
  EXPECT_FALSE(vigil_.kept());
}

TEST_F(VigilTest, LosesAWorkerThatDoesNotAnswer) {
  EXPECT_EQ(looks_while(Need::answer, kSilent), kLooks + 1);
  EXPECT_EQ(last_, Need::not_running);
  EXPECT_TRUE(vigil_.kept());
  // Whatever comes now comes too late.
  EXPECT_EQ(vigil_.look(kSilent), Need::nothing);
  EXPECT_EQ(vigil_.answered(kSilent), Need::nothing);
  vigil_.greeted();
  EXPECT_TRUE(vigil_.kept());
}

TEST_F(VigilTest, LosesAWorkerThatAnswersAndDoesNotGreet) {
  vigil_.look(kSilent);
  vigil_.answered(kSilent);
  EXPECT_EQ(looks_while(Need::greeting, kSilent), kLooks);
  EXPECT_EQ(last_, Need::not_accepting);
}

TEST_F(VigilTest, GivesTheGreetingAPatienceOfItsOwn) {
  for (int i = 0; i < kLooks; ++i) EXPECT_EQ(vigil_.look(kSilent), Need::answer);
  EXPECT_EQ(vigil_.answered(kSilent), Need::greeting);
  EXPECT_EQ(looks_while(Need::greeting, kSilent), kLooks);
}

TEST_F(VigilTest, EndsWhenTheWorkerIsHeardByOthersOrHasNoThreadToGreetWith) {
  for (const WorkerSight& sight : {kFine, kSilentAndBusy}) {
    vigil_.look(kSilent);
    vigil_.answered(kSilent);
    EXPECT_EQ(vigil_.look(sight), Need::nothing);
    EXPECT_FALSE(vigil_.kept());
  }
}

TEST_F(VigilTest, BeginsAnewWithTheNextDoubt) {
  for (int i = 0; i < kLooks; ++i) vigil_.look(kSilent);
  vigil_.answered(kSilent);
  vigil_.greeted();
  EXPECT_EQ(vigil_.look(kFine), Need::nothing);
  EXPECT_EQ(looks_while(Need::answer, kSilent), kLooks + 1);
}

}  // namespace
}  // namespace pyhost::supervisor
