#include "supervisor/group/group_life.h"

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
    for (const SlotOrder& each : group.step(now, releases)) {
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

  // In a group of four, which all have met the same change.
  void stand_all_by() {
    group = GroupLife(4, {.drain_max = 20s});
    step();
    all_ready();
    now += 1s;
    for (unsigned i = 0; i < 4; ++i) {
      group.roll(i, *group.slot(i).serving(), Fallback::on, now);
    }
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

  base::TimePoint now{1000h};
  GroupLife group{8, {.drain_max = 20s}};
  Releases releases = Releases::allowed;
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
  const base::TimePoint change = now += 1s;
  group.slot(3).outdate(change);
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
  group.remove();
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

TEST_F(GroupLifeTest, DrainsAndGoesWhenItIsRemoved) {
  step();
  all_ready();
  group.remove();
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
  group.remove();
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
  now += 1s;
  group.roll(1, *group.slot(1).serving(), Fallback::on, now);
  EXPECT_EQ(group.slot(1).state(), SlotState::standby);
  EXPECT_EQ(group.slot(0).state(), SlotState::ready);
  step();
  EXPECT_EQ(starting.size(), 1u);
  all_ready();
  all_drained();
  // One in the place of the worker that served nobody, one beside one that still serves.
  EXPECT_EQ(starting.size(), 2u);
  EXPECT_EQ(workers(), 4u);
  all_ready();
  all_drained();
  for (unsigned i = 0; i < 3; ++i) EXPECT_GT(*group.slot(i).serving(), last_old);
}

TEST_F(GroupLifeTest, RollsNoWorkerThatWasStartedBehindTheChange) {
  group = GroupLife(2, {});
  step();
  all_ready();
  const base::TimePoint change = now += 1s;
  group.roll(1, *group.slot(1).serving(), Fallback::on, change);
  now += 1s;
  step();
  all_ready();
  all_drained();
  const auto renewed = group.slot(0).serving();
  group.roll(1, *group.slot(1).serving(), Fallback::on, change);
  EXPECT_TRUE(group.slot(0).up_to_date());
  EXPECT_EQ(group.slot(0).serving(), renewed);
}

TEST_F(GroupLifeTest, ReplacesWorkersOnStandbyAtOnceWhenOneSlotHasTheChange) {
  stand_all_by();
  step();
  ASSERT_EQ(starting.size(), 1u);
  all_ready();
  // The first one's predecessor, and two of those that need not be put back.
  EXPECT_EQ(draining.size(), 3u);
  EXPECT_EQ(workers(), 5u);
  EXPECT_TRUE(starting.empty());
  all_drained();
  EXPECT_EQ(starting.size(), 3u);  // the last one's successor beside it
  EXPECT_EQ(workers(), 5u);
  all_ready();
  all_drained();
  EXPECT_TRUE(group.up_to_date());
  EXPECT_EQ(workers(), 4u);
}

// Each is to be asked to keep what its successor lacks.
TEST_F(GroupLifeTest, ReplacesWorkersOnStandbyInTurnWhereSomethingIsKept) {
  stand_all_by();
  releases = Releases::denied;
  for (int round = 0; round < 4; ++round) {
    step();
    ASSERT_EQ(starting.size(), 1u);
    all_ready();
    EXPECT_EQ(draining.size(), 1u);
    all_drained();
  }
  EXPECT_TRUE(group.up_to_date());
}

TEST_F(GroupLifeTest, HasHalfOfItsWorkersWhenTheNextChangeIsBroken) {
  stand_all_by();
  step();
  all_ready();
  all_drained();
  for (const auto& [slot, pid] : std::exchange(starting, {})) group.slot(slot).ended(pid, now);
  step();
  EXPECT_EQ(serving(), 2u);
}

TEST_F(GroupLifeTest, KeepsWorkersOnStandbyWhileNoSlotHasTheChange) {
  group = GroupLife(2, {.drain_max = 20s});
  step();
  all_ready();
  const base::TimePoint first_change = now += 1s;
  group.roll(0, *group.slot(0).serving(), Fallback::on, first_change);
  step();
  const base::TimePoint second_change = now += 1s;
  group.roll(1, *group.slot(1).serving(), Fallback::on, second_change);
  all_ready();
  // Only the predecessor: the new worker may be from before the second change.
  EXPECT_EQ(draining.size(), 1u);
  EXPECT_TRUE(group.slot(1).may_come_back());
}

TEST_F(GroupLifeTest, GoesOnWhereARenewalWasWhenTheNextOneComes) {
  group = GroupLife(3, {.drain_max = 20s});
  step();
  all_ready();
  for (const unsigned expected : {0u, 1u, 2u, 0u}) {
    now += 1s;
    group.renew(3, {.drain_max = 20s});
    step();
    ASSERT_EQ(starting.size(), 1u);
    EXPECT_EQ(starting.begin()->first, expected);
    all_ready();
    // The next renewal comes before the old worker has gone.
    now += 1s;
    group.renew(3, {.drain_max = 20s});
    for (const auto& [slot, pid] : std::exchange(draining, {})) group.slot(slot).ended(pid, now);
  }
}

}  // namespace
}  // namespace pyhost::supervisor
