// The life of a slot: starts, renewals, ends and their times.

#include "unit/supervisor/slot_fixture.h"

namespace pyhost::supervisor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using SlotLifeTest = SlotFixture;

TEST_F(SlotLifeTest, StartsAWorkerAtOnce) {
  EXPECT_EQ(slot.state(), SlotState::empty);
  EXPECT_THAT(step(), ElementsAre(spawn(1)));
  slot.spawned(10, now);
  EXPECT_EQ(slot.state(), SlotState::starting);
  EXPECT_EQ(slot.serving(), std::nullopt);
  EXPECT_THAT(step(), IsEmpty());
  slot.ready(10, now);
  EXPECT_EQ(slot.state(), SlotState::ready);
  EXPECT_EQ(slot.serving(), 10);
  EXPECT_THAT(step(), IsEmpty());
  EXPECT_EQ(slot.next_deadline(), std::nullopt);
}

TEST_F(SlotLifeTest, KillsAWorkerThatIsNotReadyInTime) {
  step();
  slot.spawned(10, now);
  EXPECT_EQ(slot.next_deadline(), now + 15s);
  now += 15s - 1ms;
  EXPECT_THAT(step(), IsEmpty());
  now += 1ms;
  EXPECT_THAT(step(), ElementsAre(kill(10, 1)));
  EXPECT_THAT(step(), IsEmpty());
  EXPECT_EQ(slot.next_deadline(), std::nullopt);
  slot.ready(10, now);
  EXPECT_EQ(slot.state(), SlotState::starting);
  const LastState last = slot.ended(10, now);
  EXPECT_EQ(last.state, SlotState::starting);
  EXPECT_EQ(last.killed, KillReason::startup_timeout);
  EXPECT_EQ(last.generation, 1u);
}

TEST_F(SlotLifeTest, WaitsForAStartWithoutLimitAsLongAsItTakes) {
  slot.renew({.startup_max = 0ms, .drain_max = 20s});
  step();
  slot.spawned(10, now);
  EXPECT_EQ(slot.next_deadline(), std::nullopt);
  now += 1000h;
  EXPECT_THAT(step(), IsEmpty());
}

TEST_F(SlotLifeTest, KillsAWorkerThatStaysAfterItsFailure) {
  step();
  slot.spawned(10, now);
  slot.failed(10, now);
  now += kFarewell;
  EXPECT_THAT(step(), ElementsAre(kill(10, 1)));
  EXPECT_EQ(slot.ended(10, now).killed, KillReason::startup_failed);
}

TEST_F(SlotLifeTest, DoublesThePauseAfterEachFailedStart) {
  std::vector<base::Milliseconds> pauses;
  for (pid_t pid = 10; pid < 18; ++pid) pauses.push_back(fail_start(pid));
  EXPECT_THAT(pauses, ElementsAre(1s, 2s, 4s, 8s, 16s, 30s, 30s, 30s));
}

TEST_F(SlotLifeTest, CountsAFailedForkLikeAFailedStart) {
  step();
  slot.spawn_failed(now);
  EXPECT_THAT(step(), IsEmpty());
  EXPECT_EQ(slot.next_deadline(), now + 1s);
  now += 1s;
  EXPECT_THAT(step(), ElementsAre(spawn(1)));
  slot.spawn_failed(now);
  step();
  EXPECT_EQ(slot.next_deadline(), now + 2s);
}

TEST_F(SlotLifeTest, ForgetsFailuresWhenAWorkerIsStable) {
  fail_start(10);
  fail_start(11);
  bring_up(12);
  EXPECT_EQ(slot.next_deadline(), now + kStableTime);
  now += kStableTime;
  step();
  EXPECT_EQ(slot.next_deadline(), std::nullopt);
  EXPECT_EQ(slot.back_off(), 1s);
}

TEST_F(SlotLifeTest, RemembersFailuresOverAShortLife) {
  fail_start(10);
  fail_start(11);
  bring_up(12);
  now += kStableTime - 1ms;
  slot.ended(12, now);
  EXPECT_EQ(fail_start(13), 4s);
}

TEST_F(SlotLifeTest, ReplacesAWorkerThatDiesAtOnce) {
  bring_up(10);
  now += kEarlyDeath;
  const LastState last = slot.ended(10, now);
  EXPECT_EQ(last.state, SlotState::ready);
  EXPECT_EQ(last.killed, KillReason::none);
  EXPECT_EQ(slot.state(), SlotState::empty);
  EXPECT_THAT(step(), ElementsAre(spawn(2)));
}

TEST_F(SlotLifeTest, PausesWhenAWorkerDiesSoonAfterItWasReady) {
  bring_up(10);
  now += kEarlyDeath - 1ms;
  slot.ended(10, now);
  EXPECT_THAT(step(), IsEmpty());
  EXPECT_EQ(slot.next_deadline(), now + kEarlyDeathPause);
  now += kEarlyDeathPause;
  EXPECT_THAT(step(), ElementsAre(spawn(2)));
}

TEST_F(SlotLifeTest, RenewsOnlyWhenItMay) {
  bring_up(10);
  EXPECT_FALSE(slot.awaits_renewal(now));
  slot.renew({});
  EXPECT_TRUE(slot.awaits_renewal(now));
  EXPECT_THAT(step(Renewal::denied), IsEmpty());
  EXPECT_EQ(slot.next_deadline(), std::nullopt);
  EXPECT_THAT(step(Renewal::allowed), ElementsAre(spawn(2)));
}

TEST_F(SlotLifeTest, DrainsTheOldWorkerWhenTheNewOneIsReady) {
  bring_up(10);
  slot.renew({.startup_max = 15s, .drain_max = 7s});
  step(Renewal::allowed);
  slot.spawned(11, now);
  EXPECT_THAT(step(Renewal::allowed), IsEmpty());
  EXPECT_EQ(slot.serving(), 10);
  EXPECT_EQ(slot.extra_workers(), 1u);
  slot.ready(11, now);
  EXPECT_THAT(step(), ElementsAre(terminate(10, 1)));
  EXPECT_EQ(slot.serving(), 11);
  EXPECT_EQ(slot.next_deadline(), now + 7s);
  EXPECT_EQ(slot.ended(10, now).state, SlotState::draining);
  EXPECT_THAT(step(Renewal::allowed), IsEmpty());
  EXPECT_EQ(slot.extra_workers(), 0u);
}

TEST_F(SlotLifeTest, KeepsTheOldWorkerWhileTheNewOneCannotStart) {
  bring_up(10);
  slot.renew({});
  step(Renewal::allowed);
  slot.spawned(11, now);
  slot.ended(11, now);
  EXPECT_THAT(step(Renewal::allowed), IsEmpty());
  EXPECT_EQ(slot.serving(), 10);
  EXPECT_EQ(slot.next_deadline(), now + 1s);
  now += 1s;
  EXPECT_THAT(step(Renewal::allowed), ElementsAre(spawn(3)));
}

TEST_F(SlotLifeTest, StartsWithoutLeaveWhenTheOldWorkerDiesDuringRenewal) {
  bring_up(10);
  slot.renew({});
  now += kEarlyDeath;
  slot.ended(10, now);
  EXPECT_FALSE(slot.awaits_renewal(now));
  EXPECT_THAT(step(Renewal::denied), ElementsAre(spawn(2)));
}

TEST_F(SlotLifeTest, HoldsNoQueueOfDrainingWorkers) {
  bring_up(10);
  slot.renew({});
  bring_up(11);
  slot.renew({});
  EXPECT_FALSE(slot.awaits_renewal(now));
  EXPECT_THAT(step(Renewal::allowed), ElementsAre(kill(10, 1)));  // drain_max is 0
  slot.ended(10, now);
  EXPECT_THAT(step(Renewal::allowed), ElementsAre(spawn(3)));
}

TEST_F(SlotLifeTest, EndsAnOutdatedWorkerThatIsStillStarting) {
  step();
  slot.spawned(10, now);
  slot.renew({.startup_max = 0ms, .drain_max = 5s});
  EXPECT_THAT(step(Renewal::denied), UnorderedElementsAre(terminate(10, 1), spawn(2)));
  slot.spawned(11, now);
  EXPECT_EQ(slot.ended(10, now).state, SlotState::draining);
  EXPECT_EQ(slot.next_deadline(), std::nullopt);
}

TEST_F(SlotLifeTest, TriesANewConfigurationWithoutPause) {
  step();
  slot.spawned(10, now);
  slot.ended(10, now);
  EXPECT_THAT(step(), IsEmpty());
  slot.renew({});
  EXPECT_THAT(step(), ElementsAre(spawn(2)));
}

TEST_F(SlotLifeTest, EndsEveryWorkerWhenItIsNotWanted) {
  bring_up(10);
  slot.renew({.startup_max = 15s, .drain_max = 3s});
  step(Renewal::allowed);
  slot.spawned(11, now);
  slot.remove();
  EXPECT_THAT(step(Renewal::allowed), UnorderedElementsAre(terminate(10, 1), terminate(11, 2)));
  EXPECT_EQ(slot.state(), SlotState::draining);
  EXPECT_THAT(step(), IsEmpty());
  slot.ended(11, now);
  EXPECT_FALSE(slot.gone());
  now += 3s;
  EXPECT_THAT(step(), ElementsAre(kill(10, 1)));
  EXPECT_EQ(slot.ended(10, now).killed, KillReason::drain_timeout);
  EXPECT_TRUE(slot.gone());
  EXPECT_THAT(step(Renewal::allowed), IsEmpty());
  EXPECT_EQ(slot.next_deadline(), std::nullopt);
}

TEST_F(SlotLifeTest, IsWantedAgainWhileItDrains) {
  bring_up(10);
  slot.remove();
  step();
  slot.renew({});
  EXPECT_THAT(step(), ElementsAre(spawn(2)));
}

TEST_F(SlotLifeTest, StartsOneWorkerAfterAnyJumpOfTheClock) {
  fail_start(10);
  now += 24h * 365;
  EXPECT_THAT(step(), ElementsAre(spawn(2)));
  slot.spawned(11, now);
  now += 24h * 365;
  EXPECT_THAT(step(), ElementsAre(kill(11, 2)));
  EXPECT_THAT(step(), IsEmpty());
}

TEST_F(SlotLifeTest, NeverHasADeadlineThatAStepLeavesInThePast) {
  fail_start(10);
  bring_up(11);
  slot.renew({.startup_max = 1s, .drain_max = 1s});
  for (int i = 0; i < 100; ++i) {
    now += 977ms;
    step(Renewal::denied);
    const auto next = slot.next_deadline();
    EXPECT_TRUE(!next || *next > now);
  }
}

TEST_F(SlotLifeTest, RelievesAWorkerWhenItsSuccessorIsReady) {
  bring_up(10);
  slot.relieve(10);
  EXPECT_TRUE(slot.awaits_renewal(now));
  EXPECT_THAT(step(Renewal::denied), IsEmpty());
  EXPECT_THAT(step(Renewal::allowed), ElementsAre(spawn(2)));
  slot.spawned(11, now);
  EXPECT_THAT(step(), IsEmpty());
  EXPECT_EQ(slot.serving(), 10);
  slot.ready(11, now);
  EXPECT_THAT(step(), ElementsAre(terminate(10, 1)));
}

TEST_F(SlotLifeTest, RelievesAWorkerWithoutSuccessorAfterItsDrainBudget) {
  bring_up(10);
  slot.relieve(10);
  step(Renewal::allowed);
  slot.spawned(11, now);
  slot.ended(11, now);
  const base::TimePoint failed = now;
  now = failed + 20s - 1ms;
  EXPECT_THAT(step(Renewal::denied), IsEmpty());
  EXPECT_EQ(slot.next_deadline(), failed + 20s);
  now += 1ms;
  EXPECT_THAT(step(Renewal::denied), ElementsAre(terminate(10, 1), spawn(3)));
  EXPECT_EQ(slot.next_deadline(), now + 20s);
}

TEST_F(SlotLifeTest, StartsASuccessorAtOnceWhenAWorkerDrainsByItself) {
  bring_up(10);
  slot.draining(10, now);
  EXPECT_EQ(slot.state(), SlotState::draining);
  EXPECT_FALSE(slot.awaits_renewal(now));
  EXPECT_THAT(step(Renewal::denied), ElementsAre(spawn(2)));
  slot.spawned(11, now);
  now += 20s;
  slot.ready(11, now);
  EXPECT_THAT(step(), ElementsAre(kill(10, 1)));
  const LastState last = slot.ended(10, now);
  EXPECT_EQ(last.state, SlotState::draining);
  EXPECT_EQ(last.killed, KillReason::drain_timeout);
}

TEST_F(SlotLifeTest, DetachesAWorkerThatIsKeptWithoutItsEnd) {
  bring_up(10);
  slot.relieve(10);
  step(Renewal::allowed);
  slot.spawned(11, now);
  EXPECT_TRUE(slot.detach(10));
  EXPECT_EQ(slot.state(), SlotState::starting);
  EXPECT_EQ(slot.extra_workers(), 0u);
  // Should this one fail, the next is told as well what was imported.
  EXPECT_TRUE(slot.succeeds_released());
  slot.ready(11, now);
  EXPECT_FALSE(slot.succeeds_released());
  EXPECT_THAT(step(), IsEmpty());
  EXPECT_FALSE(slot.detach(10));
  slot.relieve(11);
  step(Renewal::allowed);
  slot.spawned(12, now);
  slot.ready(12, now);
  EXPECT_THAT(step(), ElementsAre(terminate(11, 2)));
  EXPECT_FALSE(slot.detach(11));
}

TEST_F(SlotLifeTest, GoesOnAsBeforeWhenAnotherWorkerDoesNoBetter) {
  bring_up(10);
  slot.outdate(now += 1ms);
  EXPECT_FALSE(slot.up_to_date());
  EXPECT_THAT(step(Renewal::allowed), ElementsAre(spawn(2)));
  slot.spawned(11, now);
  slot.ended(11, now);
  EXPECT_TRUE(slot.come_back(Failed::attempt));
  EXPECT_TRUE(slot.up_to_date());
  EXPECT_THAT(step(Renewal::allowed), IsEmpty());
  // What has failed says nothing of the next start for another reason.
  slot.ended(10, now + kEarlyDeath);
  now += kEarlyDeath;
  EXPECT_THAT(step(), ElementsAre(spawn(3)));
}

TEST_F(SlotLifeTest, HearsNothingFromWorkersItDoesNotHave) {
  slot.relieve(99);
  slot.draining(99, now);
  slot.ready(99, now);
  slot.failed(99, now);
  EXPECT_EQ(slot.state(), SlotState::empty);
}

}  // namespace
}  // namespace pyhost::supervisor
