// What a slot runs has changed: workers that stand by, come back or are released.

#include "unit/supervisor/slot_fixture.h"

namespace pyhost::supervisor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SlotChangeTest : public SlotFixture {
 protected:
  // A worker that stood by for a change that works, and is told to end.
  void bring_up_and_release(pid_t pid) {
    bring_up(pid);
    slot.stand_by(pid, Fallback::on, now);
    slot.release(now);
    step();
  }
};

TEST_F(SlotChangeTest, IsOnStandbyUntilASuccessorIsReady) {
  bring_up(1);
  slot.stand_by(1, Fallback::on, now);
  EXPECT_EQ(slot.state(), SlotState::standby);
  EXPECT_TRUE(slot.may_come_back());
  EXPECT_THAT(step(Renewal::allowed), ElementsAre(spawn(2)));
  slot.spawned(2, now);
  EXPECT_EQ(slot.state(), SlotState::standby);
  slot.ready(2, now);
  EXPECT_EQ(slot.state(), SlotState::ready);
  EXPECT_THAT(step(), ElementsAre(terminate(1, 1)));
}

TEST_F(SlotChangeTest, PutsAWorkerBackWhoseSuccessorFails) {
  bring_up(1);
  slot.stand_by(1, Fallback::on, now);
  step(Renewal::allowed);
  slot.spawned(2, now);
  slot.ended(2, now);
  EXPECT_TRUE(slot.come_back());
  EXPECT_EQ(slot.state(), SlotState::ready);
  EXPECT_THAT(step(Renewal::allowed), IsEmpty());
  now += kLongestBackOff;
  EXPECT_THAT(step(Renewal::allowed), IsEmpty());
}

TEST_F(SlotChangeTest, TriesTheNextChangeAtOnce) {
  bring_up(1);
  slot.stand_by(1, Fallback::on, now);
  step(Renewal::allowed);
  slot.spawned(2, now);
  slot.ended(2, now);
  slot.come_back();
  slot.stand_by(1, Fallback::on, now);
  EXPECT_THAT(step(Renewal::allowed), ElementsAre(spawn(3)));
}

TEST_F(SlotChangeTest, WithoutFallbackDrainsAWorkerOnStandbyInTheEnd) {
  bring_up(1);
  slot.stand_by(1, Fallback::off, now);
  EXPECT_FALSE(slot.may_come_back());
  step(Renewal::allowed);
  slot.spawned(2, now);
  slot.ended(2, now);
  now = *slot.next_deadline() + kLongestBackOff;
  EXPECT_THAT(step(), testing::Contains(terminate(1, 1)));
}

TEST_F(SlotChangeTest, DoesNotComeBackBehindAReadySuccessor) {
  bring_up(1);
  slot.renew({});
  step(Renewal::allowed);
  slot.spawned(2, now);
  slot.ready(2, now);
  EXPECT_FALSE(slot.come_back());
  EXPECT_THAT(step(), ElementsAre(terminate(1, 1)));
}

TEST_F(SlotChangeTest, LetsASuccessorTakeOverThatIsReadyAfterAComeback) {
  bring_up(1);
  slot.outdate(now + 1s);
  step(Renewal::allowed);
  slot.spawned(2, now);
  EXPECT_TRUE(slot.come_back());
  slot.ready(2, now);
  EXPECT_THAT(step(), ElementsAre(terminate(1, 1)));
}

TEST_F(SlotChangeTest, IsRenewedSinceAChangeThatItsWorkersCameAfter) {
  bring_up(1);
  EXPECT_TRUE(slot.renewed_since(now));
  const base::TimePoint change = now += 1s;
  EXPECT_FALSE(slot.renewed_since(change));
  now += 1ms;
  slot.stand_by(1, Fallback::on, now);
  EXPECT_TRUE(slot.renewed_since(change));
  step(Renewal::allowed);
  slot.spawned(2, now);
  EXPECT_TRUE(slot.renewed_since(change));
  slot.ready(2, now);
  EXPECT_TRUE(slot.renewed_since(change));
  EXPECT_FALSE(slot.renewed_since(now + 1ms));
}

TEST_F(SlotChangeTest, IsNotRenewedByASuccessorThatWasStartingBefore) {
  bring_up(1);
  slot.relieve(1);
  step(Renewal::allowed);
  slot.spawned(2, now);
  const base::TimePoint change = now += 1s;
  slot.stand_by(1, Fallback::on, change);
  EXPECT_FALSE(slot.renewed_since(change));
}

TEST_F(SlotChangeTest, IsNotRenewedWhileItsStartsFail) {
  bring_up(1);
  const base::TimePoint change = now += 1s;
  slot.stand_by(1, Fallback::off, now);
  EXPECT_TRUE(slot.renewed_since(change));
  step(Renewal::allowed);
  slot.spawned(2, now);
  slot.ended(2, now);
  EXPECT_FALSE(slot.renewed_since(change));
}

TEST_F(SlotChangeTest, IsOutOfDateOnlyForChangesBehindItsStart) {
  bring_up(1);
  slot.outdate(now);
  EXPECT_TRUE(slot.up_to_date());
  slot.outdate(now + 1ms);
  EXPECT_FALSE(slot.up_to_date());
}

TEST_F(SlotChangeTest, ReleasesAWorkerOnStandbyWhenItsChangeWorks) {
  bring_up(1);
  const base::TimePoint change = now += 1s;
  slot.stand_by(1, Fallback::on, change);
  slot.release(change - 1ms);
  EXPECT_THAT(step(), IsEmpty());
  slot.release(change);
  EXPECT_THAT(step(), ElementsAre(terminate(1, 1)));
  EXPECT_TRUE(slot.succeeds_released());
  EXPECT_FALSE(slot.come_back());
  // While it has requests, its successor is one more.
  EXPECT_EQ(slot.awaits_renewal(now), now - 1s);
  EXPECT_THAT(step(Renewal::denied), IsEmpty());
  EXPECT_THAT(step(Renewal::allowed), ElementsAre(spawn(2)));
  slot.spawned(2, now);
  slot.ready(2, now);
  EXPECT_FALSE(slot.succeeds_released());
}

TEST_F(SlotChangeTest, SucceedsAWorkerThatWasReleasedWithoutLeave) {
  bring_up_and_release(1);
  slot.ended(1, now);
  EXPECT_THAT(step(Renewal::denied), ElementsAre(spawn(2)));
  EXPECT_TRUE(slot.succeeds_released());
}

TEST_F(SlotChangeTest, SucceedsNobodyWhenItWasStopped) {
  bring_up_and_release(1);
  slot.remove();
  slot.ended(1, now);
  slot.renew({});
  EXPECT_FALSE(slot.succeeds_released());
}

TEST_F(SlotChangeTest, KeepsAWorkerThatServesWhateverWorks) {
  bring_up(1);
  slot.outdate(now + 1s);
  slot.release(now + 1h);
  EXPECT_THAT(step(), IsEmpty());
}

TEST_F(SlotChangeTest, ReleasesTheOldestWhenTheNextChangeComesAtOnce) {
  bring_up(1);
  slot.stand_by(1, Fallback::on, now);
  step(Renewal::allowed);
  slot.spawned(2, now);
  slot.ready(2, now);
  slot.stand_by(2, Fallback::on, now);
  EXPECT_THAT(step(Renewal::allowed), ElementsAre(terminate(1, 1)));
  slot.ended(1, now);
  EXPECT_THAT(step(Renewal::allowed), ElementsAre(spawn(3)));
}

}  // namespace
}  // namespace pyhost::supervisor
