// What a slot runs has changed: workers that are withdrawn, put back or let go.

#include "unit/supervisor/slot_fixture.h"

namespace pyhost::supervisor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SlotChangeTest : public SlotFixture {
 protected:
  // A worker that was withdrawn for a change that works, and is told to end.
  void bring_up_and_let_go(pid_t pid) {
    bring_up(pid);
    slot.withdraw(pid, Fallback::on, now);
    slot.let_go(now);
    step();
  }
};

TEST_F(SlotChangeTest, CountsAWithdrawnWorkerAsDraining) {
  bring_up(1);
  slot.withdraw(1, Fallback::on, now);
  EXPECT_EQ(slot.state(), SlotState::draining);
  EXPECT_TRUE(slot.withdrawn());
  EXPECT_THAT(step(Renewal::allowed), ElementsAre(spawn(2)));
  slot.spawned(2, now);
  EXPECT_EQ(slot.state(), SlotState::draining);
  slot.ready(2, now);
  EXPECT_EQ(slot.state(), SlotState::ready);
  EXPECT_THAT(step(), ElementsAre(terminate(1, 1)));
}

TEST_F(SlotChangeTest, PutsAWorkerBackWhoseSuccessorFails) {
  bring_up(1);
  slot.withdraw(1, Fallback::on, now);
  step(Renewal::allowed);
  slot.spawned(2, now);
  slot.ended(2, now);
  EXPECT_TRUE(slot.fall_back());
  EXPECT_EQ(slot.state(), SlotState::ready);
  EXPECT_THAT(step(Renewal::allowed), IsEmpty());
  now += kLongestBackOff;
  EXPECT_THAT(step(Renewal::allowed), IsEmpty());
}

TEST_F(SlotChangeTest, TriesTheNextChangeAtOnce) {
  bring_up(1);
  slot.withdraw(1, Fallback::on, now);
  step(Renewal::allowed);
  slot.spawned(2, now);
  slot.ended(2, now);
  slot.fall_back();
  slot.withdraw(1, Fallback::on, now);
  EXPECT_THAT(step(Renewal::allowed), ElementsAre(spawn(3)));
}

TEST_F(SlotChangeTest, WithoutFallbackDrainsAWithdrawnWorkerInTheEnd) {
  bring_up(1);
  slot.withdraw(1, Fallback::off, now);
  EXPECT_FALSE(slot.withdrawn());
  step(Renewal::allowed);
  slot.spawned(2, now);
  slot.ended(2, now);
  now = *slot.next_deadline() + kLongestBackOff;
  EXPECT_THAT(step(), testing::Contains(terminate(1, 1)));
}

TEST_F(SlotChangeTest, DoesNotFallBackBehindAReadySuccessor) {
  bring_up(1);
  slot.renew({});
  step(Renewal::allowed);
  slot.spawned(2, now);
  slot.ready(2, now);
  EXPECT_FALSE(slot.fall_back());
  EXPECT_THAT(step(), ElementsAre(terminate(1, 1)));
}

TEST_F(SlotChangeTest, LetsASuccessorThatIsReadyAfterAFallBackTakeOver) {
  bring_up(1);
  slot.outdate(now + 1s);
  step(Renewal::allowed);
  slot.spawned(2, now);
  EXPECT_TRUE(slot.fall_back());
  slot.ready(2, now);
  EXPECT_THAT(step(), ElementsAre(terminate(1, 1)));
}

TEST_F(SlotChangeTest, IsRenewedSinceAChangeThatItsWorkersCameAfter) {
  bring_up(1);
  EXPECT_TRUE(slot.renewed_since(now));
  const base::TimePoint change = now += 1s;
  EXPECT_FALSE(slot.renewed_since(change));
  now += 1ms;
  slot.withdraw(1, Fallback::on, now);
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
  slot.withdraw(1, Fallback::on, change);
  EXPECT_FALSE(slot.renewed_since(change));
}

TEST_F(SlotChangeTest, IsNotRenewedWhileItsStartsFail) {
  bring_up(1);
  const base::TimePoint change = now += 1s;
  slot.withdraw(1, Fallback::off, now);
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

TEST_F(SlotChangeTest, LetsAWithdrawnWorkerGoWhenItsChangeWorks) {
  bring_up(1);
  const base::TimePoint change = now += 1s;
  slot.withdraw(1, Fallback::on, change);
  slot.let_go(change - 1ms);
  EXPECT_THAT(step(), IsEmpty());
  slot.let_go(change);
  EXPECT_THAT(step(), ElementsAre(terminate(1, 1)));
  EXPECT_TRUE(slot.succeeds_one_let_go());
  EXPECT_FALSE(slot.fall_back());
  // While it has requests, its successor is one more.
  EXPECT_EQ(slot.awaits_renewal(now), now - 1s);
  EXPECT_THAT(step(Renewal::denied), IsEmpty());
  EXPECT_THAT(step(Renewal::allowed), ElementsAre(spawn(2)));
  slot.spawned(2, now);
  slot.ready(2, now);
  EXPECT_FALSE(slot.succeeds_one_let_go());
}

TEST_F(SlotChangeTest, SucceedsAWorkerThatWasLetGoWithoutLeave) {
  bring_up_and_let_go(1);
  slot.ended(1, now);
  EXPECT_THAT(step(Renewal::denied), ElementsAre(spawn(2)));
  EXPECT_TRUE(slot.succeeds_one_let_go());
}

TEST_F(SlotChangeTest, SucceedsNobodyWhenItWasStopped) {
  bring_up_and_let_go(1);
  slot.retire();
  slot.ended(1, now);
  slot.renew({});
  EXPECT_FALSE(slot.succeeds_one_let_go());
}

TEST_F(SlotChangeTest, KeepsAWorkerThatServesWhateverWorks) {
  bring_up(1);
  slot.outdate(now + 1s);
  slot.let_go(now + 1h);
  EXPECT_THAT(step(), IsEmpty());
}

TEST_F(SlotChangeTest, LetsTheOldestGoWhenTheNextChangeComesAtOnce) {
  bring_up(1);
  slot.withdraw(1, Fallback::on, now);
  step(Renewal::allowed);
  slot.spawned(2, now);
  slot.ready(2, now);
  slot.withdraw(2, Fallback::on, now);
  EXPECT_THAT(step(Renewal::allowed), ElementsAre(terminate(1, 1)));
  slot.ended(1, now);
  EXPECT_THAT(step(Renewal::allowed), ElementsAre(spawn(3)));
}

}  // namespace
}  // namespace pyhost::supervisor
