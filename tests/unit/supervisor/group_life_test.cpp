#include "supervisor/group_life.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace pyhost::supervisor {
namespace {

using namespace std::chrono_literals;

// Carries orders out at once, with pids that count up; a spawned worker stays in `starting`.
class GroupLifeTest : public testing::Test {
 protected:
  void step() {
    for (const SlotOrder& each : group.step(now)) {
      SlotLife& slot = group.slot(each.slot);
      switch (each.order.kind) {
        case Order::Kind::spawn:
          slot.spawned(++last_pid, now);
          starting.insert({each.slot, last_pid});
          break;
        case Order::Kind::terminate:
          draining.insert({each.slot, each.order.pid});
          break;
        case Order::Kind::kill:
          slot.ended(each.order.pid, now);
          break;
      }
    }
  }

  void all_ready() {
    for (const auto& [slot, pid] : std::exchange(starting, {})) group.slot(slot).ready(pid, now);
    step();
  }

  void all_drained() {
    for (const auto& [slot, pid] : std::exchange(draining, {})) group.slot(slot).ended(pid, now);
    step();
  }

  unsigned serving() const {
    unsigned count = 0;
    for (unsigned i = 0; i < group.slots(); ++i) count += group.slot(i).serving().has_value();
    return count;
  }

  unsigned workers() const {
    unsigned count = 0;
    for (unsigned i = 0; i < group.slots(); ++i) {
      count += (group.slot(i).state() != SlotState::empty) + group.slot(i).extra_workers();
    }
    return count;
  }

  TimePoint now{1000h};
  GroupLife group{8, {.drain_max = 20s}};
  pid_t last_pid = 100;
  std::set<std::pair<unsigned, pid_t>> starting;
  std::set<std::pair<unsigned, pid_t>> draining;
};

TEST_F(GroupLifeTest, StartsAllItsWorkersAtOnce) {
  step();
  EXPECT_EQ(starting.size(), 8u);
  all_ready();
  EXPECT_EQ(serving(), 8u);
}

TEST_F(GroupLifeTest, RenewsAQuarterOfItsSlotsAtATime) {
  step();
  all_ready();
  group.renew(8, {.drain_max = 20s});
  const pid_t last_old = last_pid;
  for (int round = 0; round < 4; ++round) {
    step();
    EXPECT_EQ(starting.size(), 2u) << round;
    EXPECT_EQ(workers(), 10u);
    all_ready();
    EXPECT_EQ(serving(), 8u);
    EXPECT_EQ(draining.size(), 2u);
    EXPECT_TRUE(starting.empty());  // what drains is an extra worker too
    all_drained();
  }
  EXPECT_TRUE(starting.empty());
  EXPECT_EQ(workers(), 8u);
  for (unsigned i = 0; i < 8; ++i) EXPECT_GT(*group.slot(i).serving(), last_old);
}

TEST_F(GroupLifeTest, RenewsSmallGroupsOneSlotAtATime) {
  group = GroupLife(3, {});
  step();
  all_ready();
  group.renew(3, {});
  step();
  EXPECT_EQ(starting.size(), 1u);
}

TEST_F(GroupLifeTest, DoesNotHoldBackSlotsThatServeNobody) {
  step();
  all_ready();
  group.renew(8, {});
  for (unsigned i = 0; i < 8; ++i) group.slot(i).ended(*group.slot(i).serving(), now);
  now += kEarlyDeathPause;
  step();
  EXPECT_EQ(starting.size(), 8u);
}

TEST_F(GroupLifeTest, TriesOtherSlotsWhileOneBacksOff) {
  group = GroupLife(2, {});
  step();
  all_ready();
  group.renew(2, {});
  step();
  ASSERT_EQ(starting.size(), 1u);
  const auto [slot, pid] = *starting.begin();
  starting.clear();
  group.slot(slot).ended(pid, now);
  step();
  ASSERT_EQ(starting.size(), 1u);
  EXPECT_NE(starting.begin()->first, slot);
}

TEST_F(GroupLifeTest, IsUpToDateWhenEachSlotHasANewWorker) {
  group = GroupLife(2, {.drain_max = 20s});
  step();
  EXPECT_FALSE(group.up_to_date());
  all_ready();
  EXPECT_TRUE(group.up_to_date());
  group.renew(2, {.drain_max = 20s});
  EXPECT_FALSE(group.up_to_date());
  step();
  all_ready();
  EXPECT_FALSE(group.up_to_date());
  all_drained();
  all_ready();
  EXPECT_TRUE(group.up_to_date());  // the last old worker may still drain
  EXPECT_FALSE(draining.empty());
}

TEST_F(GroupLifeTest, IsRenewedSinceAChangeWhenAllItsSlotsAre) {
  step();
  all_ready();
  const TimePoint change = now += 1s;
  group.slot(3).outdate();
  EXPECT_FALSE(group.renewed_since(change));
  group.renew(8, {});
  EXPECT_TRUE(group.renewed_since(change));
}

TEST_F(GroupLifeTest, KeepsItsSlotsWhileItIsStopped) {
  step();
  all_ready();
  group.stop();
  step();
  EXPECT_EQ(draining.size(), 8u);
  EXPECT_FALSE(group.empty());
  all_drained();
  EXPECT_TRUE(group.empty());
  EXPECT_FALSE(group.gone());
  EXPECT_EQ(group.slots(), 8u);
  EXPECT_TRUE(starting.empty());
  group.renew(8, {});
  step();
  EXPECT_EQ(starting.size(), 8u);
}

TEST_F(GroupLifeTest, IsGoneWhenItIsNotWantedAlthoughItWasStopped) {
  group.stop();
  group.retire();
  step();
  EXPECT_TRUE(group.gone());
}

TEST_F(GroupLifeTest, GrowsAtOnce) {
  step();
  all_ready();
  group.renew(10, {});
  step();
  EXPECT_EQ(group.slots(), 10u);
  EXPECT_TRUE(std::ranges::any_of(starting, [](const auto& each) { return each.first == 9; }));
}

TEST_F(GroupLifeTest, ForgetsSurplusSlotsWhenTheyHaveDrained) {
  step();
  all_ready();
  group.renew(5, {.drain_max = 20s});
  step();
  EXPECT_EQ(group.slots(), 8u);
  all_ready();
  for (int round = 0; round < 8; ++round) {
    all_drained();
    all_ready();
  }
  EXPECT_EQ(group.slots(), 5u);
  EXPECT_EQ(serving(), 5u);
}

TEST_F(GroupLifeTest, DrainsAndGoesWhenItIsRetired) {
  step();
  all_ready();
  group.retire();
  EXPECT_FALSE(group.gone());
  step();
  EXPECT_EQ(draining.size(), 8u);
  EXPECT_EQ(group.next_deadline(), now + 20s);
  all_drained();
  EXPECT_TRUE(group.gone());
  EXPECT_EQ(group.slots(), 0u);
  EXPECT_EQ(group.next_deadline(), std::nullopt);
}

TEST_F(GroupLifeTest, KillsWhatDoesNotDrain) {
  step();
  all_ready();
  group.retire();
  step();
  now += 20s;
  step();
  EXPECT_TRUE(group.gone());
}

TEST_F(GroupLifeTest, RollsAllItsSlotsForOneWorker) {
  group = GroupLife(3, {});
  step();
  all_ready();
  const pid_t last_old = last_pid;
  group.roll(1, *group.slot(1).serving(), Fallback::on);
  EXPECT_EQ(group.slot(1).state(), SlotState::draining);
  EXPECT_EQ(group.slot(0).state(), SlotState::ready);
  for (int round = 0; round < 3; ++round) {
    step();
    EXPECT_EQ(starting.size(), 1u) << round;
    all_ready();
    all_drained();
  }
  for (unsigned i = 0; i < 3; ++i) EXPECT_GT(*group.slot(i).serving(), last_old);
}

}  // namespace
}  // namespace pyhost::supervisor
