#include "supervisor/group/keepers.h"

#include <gmock/gmock.h>

namespace pyhost::supervisor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

constexpr std::uint64_t kA = 1, kB = 2;
constexpr pid_t kPid = 100, kOther = 200;
const base::TimePoint kStart{1h};

Keepers::Keeper keeper(unsigned slot, unsigned place, ScriptKeys scripts) {
  return {.slot = slot,
          .place = place,
          .generation = 3,
          .scripts = std::move(scripts),
          .drain_max = 20s};
}

Keepers settled() {
  Keepers keepers;
  keepers.ask(kPid, keeper(0, 0, {kA}), kStart);
  EXPECT_TRUE(keepers.settle(kPid));
  return keepers;
}

TEST(Keepers, CountWhenTheyHaveSettled) {
  Keepers keepers;
  EXPECT_EQ(keepers.free_place(0), 0u);
  keepers.ask(kPid, keeper(0, 0, {kA}), kStart);
  EXPECT_TRUE(keepers.awaits(0));
  EXPECT_TRUE(keepers.takes(0, 0));
  EXPECT_EQ(keepers.free_place(0), 1u);
  EXPECT_EQ(keepers.find_or_null(kPid), nullptr);
  EXPECT_TRUE(keepers.scripts().empty());
  EXPECT_TRUE(keepers.settle(kPid));
  EXPECT_FALSE(keepers.settle(kPid));
  EXPECT_FALSE(keepers.settle(kOther));
  EXPECT_FALSE(keepers.awaits(0));
  ASSERT_NE(keepers.find_or_null(kPid), nullptr);
  EXPECT_EQ(keepers.scripts(), ScriptKeys{kA});
  EXPECT_FALSE(keepers.next_deadline());
  EXPECT_THAT(keepers.step(kStart + 24h).orders, IsEmpty());
}

TEST(Keepers, AreAsManyAsASlotHasPlacesFor) {
  Keepers keepers;
  for (unsigned place = 0; place < scoreboard::kKeepersOfSlot; ++place) {
    ASSERT_EQ(keepers.free_place(0), place);
    keepers.ask(kPid + static_cast<pid_t>(place), keeper(0, place, {kA}), kStart);
  }
  EXPECT_FALSE(keepers.free_place(0));
  EXPECT_EQ(keepers.free_place(1), 0u);
}

TEST(Keepers, AreForgottenWhenTheyDoNotObey) {
  Keepers keepers;
  keepers.ask(kPid, keeper(0, 0, {kA}), kStart);
  EXPECT_EQ(keepers.next_deadline(), kStart + Keepers::kPatience);
  EXPECT_THAT(keepers.step(kStart + Keepers::kPatience - 1ms).disobedient, IsEmpty());
  EXPECT_THAT(keepers.step(kStart + Keepers::kPatience).disobedient, ElementsAre(kPid));
  EXPECT_TRUE(keepers.empty());
  EXPECT_FALSE(keepers.settle(kPid));
}

TEST(Keepers, EndWhenNothingOfTheirsIsNeeded) {
  Keepers keepers = settled();
  keepers.end_needless(1, {});
  keepers.end_needless(0, {kA, kB});
  EXPECT_FALSE(keepers.next_deadline());
  keepers.end_needless(0, {kB});
  EXPECT_TRUE(keepers.scripts().empty());
  EXPECT_LE(*keepers.next_deadline(), kStart);
  EXPECT_THAT(keepers.step(kStart).orders, ElementsAre(Order{Order::Kind::terminate, kPid, 3}));
  EXPECT_THAT(keepers.step(kStart).orders, IsEmpty());
  const auto last = keepers.ended(kPid);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->state, SlotState::draining);
  EXPECT_EQ(last->killed, KillReason::none);
  EXPECT_TRUE(keepers.empty());
}

TEST(Keepers, AreKilledWhenTheyTakeTooLong) {
  Keepers keepers = settled();
  keepers.end_all();
  keepers.step(kStart);
  EXPECT_EQ(keepers.next_deadline(), kStart + 20s);
  EXPECT_THAT(keepers.step(kStart + 20s).orders, ElementsAre(Order{Order::Kind::kill, kPid, 3}));
  EXPECT_FALSE(keepers.next_deadline());
  EXPECT_EQ(keepers.ended(kPid)->killed, KillReason::drain_timeout);
}

TEST(Keepers, MayDrainByThemselves) {
  Keepers keepers = settled();
  keepers.draining(kPid, kStart);
  EXPECT_TRUE(keepers.scripts().empty());
  EXPECT_THAT(keepers.step(kStart + 20s).orders, ElementsAre(Order{Order::Kind::kill, kPid, 3}));
}

TEST(Keepers, MayDie) {
  Keepers keepers = settled();
  EXPECT_EQ(keepers.ended(kPid)->state, SlotState::ready);
  EXPECT_FALSE(keepers.ended(kPid));
  keepers.ask(kOther, keeper(0, 0, {kA}), kStart);
  // It was the slot's own still.
  EXPECT_FALSE(keepers.ended(kOther));
  EXPECT_TRUE(keepers.empty());
}

TEST(Keepers, AreKnownByWhatTheyWereAskedToKeep) {
  Keepers keepers = settled();
  keepers.ask(kOther, keeper(1, 0, {kB}), kStart);
  EXPECT_EQ(keepers.scripts_of(kPid), ScriptKeys{kA});
  EXPECT_EQ(keepers.scripts_of(kOther), ScriptKeys{kB});
  EXPECT_EQ(keepers.scripts_of(1), ScriptKeys());
}

TEST(Keepers, EndOneByOne) {
  Keepers keepers = settled();
  keepers.ask(kOther, keeper(1, 0, {kB}), kStart);
  keepers.settle(kOther);
  keepers.end(kOther);
  EXPECT_EQ(keepers.scripts(), ScriptKeys{kA});
  EXPECT_TRUE(keepers.any_in(1));
}

}  // namespace
}  // namespace pyhost::supervisor
