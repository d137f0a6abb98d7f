#include "worker/worker_life.h"

#include <gmock/gmock.h>

#include "base/clock.h"

namespace pyhost::worker {
namespace {

using namespace std::chrono_literals;
using control::WorkerLimits;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = LifeOrder::Kind;

LifeOrder order(Kind kind, EndReason reason = EndReason{}) {
  return {.kind = kind, .reason = reason};
}
LifeOrder order(Kind kind, const RunningRequest& request) {
  return {.kind = kind, .request = request};
}

class WorkerLifeTest : public testing::Test {
 protected:
  void live(const WorkerLimits& limits, std::uint64_t served_max = 0) {
    life.emplace(limits, served_max, now);
  }

  RunningRequest begin(unsigned exchange, std::uint64_t number = 1) {
    return running.emplace_back(
        RunningRequest{.exchange = exchange, .number = number, .began = now});
  }
  void finish(const RunningRequest& request) {
    std::erase(running, request);
    seen.last_end = now;
    ++seen.served;
  }

  std::vector<LifeOrder> step() {
    seen.now = now;
    seen.running = running;
    seen.active = static_cast<unsigned>(running.size()) + seen.sockets;
    return life->step(seen);
  }

  std::vector<LifeOrder> step_after(std::chrono::milliseconds time) {
    now += time;
    return step();
  }

  base::TimePoint now{1000h};
  std::optional<WorkerLife> life;
  std::vector<RunningRequest> running;
  Observation seen;
};

TEST(EndReason, HasANameForTheSupervisorAndOneForApplications) {
  EXPECT_EQ(name_of(EndReason::stopped), "stop");
  EXPECT_EQ(shutdown_reason(EndReason::stopped), "shutdown_signal");
  EXPECT_EQ(name_of(EndReason::eviction), "eviction");
  EXPECT_EQ(shutdown_reason(EndReason::eviction), "eviction_signal");
  EXPECT_EQ(name_of(EndReason::maximum_requests), "maximum-requests");
  EXPECT_EQ(shutdown_reason(EndReason::restart_interval), "restart_interval");
  EXPECT_EQ(name_of(EndReason::inactivity_timeout), "inactivity-timeout");
  EXPECT_EQ(shutdown_reason(EndReason::request_timeout), "request_timeout");
  EXPECT_EQ(name_of(EndReason::deadlock_timeout), "deadlock-timeout");
  EXPECT_EQ(shutdown_reason(EndReason::startup_timeout), "startup_timeout");
  EXPECT_EQ(name_of(EndReason::cpu_time_limit), "cpu-time-limit");
  EXPECT_EQ(shutdown_reason(EndReason::memory_limit), "memory_limit");
  EXPECT_EQ(shutdown_reason(EndReason::lifespan_lost), "lifespan_lost");
}

TEST_F(WorkerLifeTest, WithoutLimitsGoesOnForEver) {
  live({});
  begin(0);
  EXPECT_THAT(step(), IsEmpty());
  EXPECT_EQ(life->next_deadline(), std::nullopt);
  EXPECT_THAT(step_after(1000h), IsEmpty());
}

TEST_F(WorkerLifeTest, EndsWhenItIsIdleAndStopped) {
  live({.graceful_timeout = 15s});
  life->stop(now);
  EXPECT_THAT(step(), ElementsAre(order(Kind::drain, EndReason::stopped)));
  EXPECT_THAT(step(), ElementsAre(order(Kind::end)));
  EXPECT_THAT(step(), IsEmpty());
}

TEST_F(WorkerLifeTest, KnowsWhatItHasAskedASuccessorFor) {
  live({.graceful_timeout = 15s});
  EXPECT_EQ(life->successor_asked_for(), std::nullopt);
  life->replace(EndReason::eviction);
  EXPECT_EQ(life->successor_asked_for(), std::nullopt);
  step();
  EXPECT_EQ(life->successor_asked_for(), EndReason::eviction);
  EXPECT_FALSE(life->hurried());
  life->hurry(now);
  EXPECT_TRUE(life->hurried());
}

TEST_F(WorkerLifeTest, WaitsForARequestThatHasComeJustBeforeItDrains) {
  live({.graceful_timeout = 15s});
  life->stop(now);
  EXPECT_THAT(step(), ElementsAre(order(Kind::drain, EndReason::stopped)));
  const RunningRequest request = begin(0);
  EXPECT_THAT(step(), IsEmpty());
  finish(request);
  EXPECT_THAT(step(), ElementsAre(order(Kind::end)));
}

TEST_F(WorkerLifeTest, LetsRequestsFinishWithinGracefulTimeout) {
  live({.graceful_timeout = 15s});
  const RunningRequest request = begin(0);
  life->stop(now);
  EXPECT_THAT(step(), ElementsAre(order(Kind::drain, EndReason::stopped)));
  EXPECT_EQ(life->next_deadline(), now + 15s);
  EXPECT_THAT(step_after(15s - 1ms), IsEmpty());
  finish(request);
  EXPECT_THAT(step(), ElementsAre(order(Kind::end)));
}

TEST_F(WorkerLifeTest, CutsRequestsOffAfterGracefulTimeout) {
  live({.graceful_timeout = 15s});
  begin(0);
  life->stop(now);
  step();
  EXPECT_THAT(step_after(15s), ElementsAre(order(Kind::end)));
}

TEST_F(WorkerLifeTest, DoesNotWaitForRequestsWithoutGracefulTimeout) {
  live({.graceful_timeout = 0ms});
  begin(0);
  life->stop(now);
  EXPECT_THAT(step(), ElementsAre(order(Kind::drain, EndReason::stopped), order(Kind::end)));
}

TEST_F(WorkerLifeTest, DoesNotWaitWhenItIsStoppedAgain) {
  live({.graceful_timeout = 15s});
  begin(0);
  life->stop(now);
  step();
  life->stop(now);
  EXPECT_THAT(step(), ElementsAre(order(Kind::end)));
}

TEST_F(WorkerLifeTest, GivesRequestsShutdownTimeoutWhenHttpdEnds) {
  live({.graceful_timeout = 15s, .shutdown_timeout = 5s});
  begin(0);
  life->hurry(now);
  EXPECT_THAT(step(), ElementsAre(order(Kind::drain, EndReason::stopped)));
  EXPECT_THAT(step_after(4s), IsEmpty());
  life->hurry(now);
  EXPECT_THAT(step_after(1s), ElementsAre(order(Kind::end)));
}

TEST_F(WorkerLifeTest, HurriesWhenItDrainsAlready) {
  live({.graceful_timeout = 15s, .shutdown_timeout = 5s});
  begin(0);
  life->stop(now);
  EXPECT_THAT(step(), ElementsAre(order(Kind::drain, EndReason::stopped)));
  now += 3s;
  life->hurry(now);
  life->hurry(now);
  EXPECT_THAT(step(), ElementsAre(order(Kind::hurry_sockets)));
  EXPECT_THAT(step_after(4s), IsEmpty());
  EXPECT_THAT(step_after(1s), ElementsAre(order(Kind::end)));
}

TEST_F(WorkerLifeTest, GivesARequestUpAtRequestTimeout) {
  live({.request_timeout = 60s, .graceful_timeout = 15s});
  const RunningRequest stuck = begin(0);
  step();
  EXPECT_EQ(life->next_deadline(), now + 60s);
  now += 30s;
  const RunningRequest sibling = begin(1);
  EXPECT_THAT(step_after(30s), ElementsAre(order(Kind::give_up, stuck),
                                           order(Kind::drain, EndReason::request_timeout)));
  life->gave_up(stuck);
  // The sibling has its time, the lost thread none.
  EXPECT_THAT(step_after(5s), IsEmpty());
  finish(sibling);
  EXPECT_THAT(step(), ElementsAre(order(Kind::end)));
}

TEST_F(WorkerLifeTest, FinishesRequestsWhenItIsStoppedWhileItDrainsForALimit) {
  live({.request_timeout = 60s, .graceful_timeout = 15s});
  const RunningRequest stuck = begin(0);
  now += 30s;
  const RunningRequest sibling = begin(1);
  EXPECT_THAT(step_after(30s), ElementsAre(order(Kind::give_up, stuck),
                                           order(Kind::drain, EndReason::request_timeout)));
  life->gave_up(stuck);
  life->stop(now);
  EXPECT_THAT(step_after(5s), IsEmpty());
  finish(sibling);
  EXPECT_THAT(step(), ElementsAre(order(Kind::end)));
}

TEST_F(WorkerLifeTest, EndsAtOnceWhenOnlyLostRequestsAreLeft) {
  live({.request_timeout = 60s, .graceful_timeout = 15s});
  const RunningRequest stuck = begin(0);
  EXPECT_THAT(step_after(60s), ElementsAre(order(Kind::give_up, stuck),
                                           order(Kind::drain, EndReason::request_timeout)));
  life->gave_up(stuck);
  EXPECT_THAT(step(), ElementsAre(order(Kind::end)));
}

TEST_F(WorkerLifeTest, InterruptsARequestFirst) {
  live({.request_timeout = 60s, .interrupt_timeout = 10s});
  const RunningRequest slow = begin(0);
  EXPECT_THAT(step_after(60s), ElementsAre(order(Kind::interrupt, slow)));
  EXPECT_EQ(life->next_deadline(), now + 1s);
  EXPECT_THAT(step_after(1s - 1ms), IsEmpty());
  // Until it has worked or the time is over.
  EXPECT_THAT(step_after(1ms), ElementsAre(order(Kind::interrupt_again, slow)));
  EXPECT_THAT(step_after(9s - 1ms), ElementsAre(order(Kind::interrupt_again, slow)));
  finish(slow);
  EXPECT_THAT(step_after(1ms), IsEmpty());
  EXPECT_FALSE(life->draining());
  // The thread is whole: its next request has a time of its own.
  const RunningRequest next = begin(0, 2);
  EXPECT_THAT(step_after(60s - 1ms), IsEmpty());
  EXPECT_THAT(step_after(1ms), ElementsAre(order(Kind::interrupt, next)));
}

TEST_F(WorkerLifeTest, GivesUpARequestThatCannotBeInterrupted) {
  live({.request_timeout = 60s, .interrupt_timeout = 10s});
  const RunningRequest stuck = begin(0);
  EXPECT_THAT(step_after(60s), ElementsAre(order(Kind::interrupt, stuck)));
  EXPECT_THAT(step_after(10s), ElementsAre(order(Kind::give_up, stuck),
                                           order(Kind::drain, EndReason::request_timeout)));
  life->gave_up(stuck);
  EXPECT_THAT(step(), ElementsAre(order(Kind::end)));
}

TEST_F(WorkerLifeTest, GivesARequestUpUntilThatIsDone) {
  live({.request_timeout = 60s, .graceful_timeout = 15s});
  const RunningRequest stuck = begin(0);
  EXPECT_THAT(step_after(60s), ElementsAre(order(Kind::give_up, stuck),
                                           order(Kind::drain, EndReason::request_timeout)));
  // Its connection is in use.
  EXPECT_THAT(step(), IsEmpty());
  EXPECT_EQ(life->next_deadline(), now + 100ms);
  EXPECT_THAT(step_after(100ms), ElementsAre(order(Kind::give_up_again, stuck)));
  EXPECT_THAT(step_after(100ms), ElementsAre(order(Kind::give_up_again, stuck)));
  life->gave_up(stuck);
  EXPECT_THAT(step(), ElementsAre(order(Kind::end)));
}

TEST_F(WorkerLifeTest, WaitsNoLongerThanGracefulTimeoutForARequestThatCannotBeGivenUp) {
  live({.request_timeout = 60s, .graceful_timeout = 15s});
  const RunningRequest stuck = begin(0);
  step_after(60s);
  EXPECT_THAT(step_after(15s), ElementsAre(order(Kind::give_up_again, stuck), order(Kind::end)));
}

TEST_F(WorkerLifeTest, TimesEachThreadByItself) {
  live({.request_timeout = 60s, .interrupt_timeout = 10s});
  const RunningRequest first = begin(0);
  now += 500ms;
  const RunningRequest second = begin(1);
  EXPECT_THAT(step_after(59'500ms), ElementsAre(order(Kind::interrupt, first)));
  EXPECT_EQ(life->next_deadline(), now + 500ms);
  EXPECT_THAT(step_after(500ms), ElementsAre(order(Kind::interrupt, second)));
}

TEST_F(WorkerLifeTest, AsksForASuccessorOnceAndServesOn) {
  live({}, 5);
  seen.served = 4;
  EXPECT_THAT(step(), IsEmpty());
  seen.served = 5;
  EXPECT_THAT(step(), ElementsAre(order(Kind::ask_successor, EndReason::maximum_requests)));
  begin(0);
  EXPECT_THAT(step_after(1h), IsEmpty());
  EXPECT_FALSE(life->draining());
  life->stop(now);
  EXPECT_THAT(step(), ElementsAre(order(Kind::drain, EndReason::stopped)));
}

TEST_F(WorkerLifeTest, IsReplacedAtRestartInterval) {
  live({.restart_interval = 1h});
  EXPECT_THAT(step(), IsEmpty());
  EXPECT_EQ(life->next_deadline(), now + 1h);
  EXPECT_THAT(step_after(1h), ElementsAre(order(Kind::ask_successor, EndReason::restart_interval)));
  EXPECT_EQ(life->next_deadline(), std::nullopt);
}

TEST_F(WorkerLifeTest, IsReplacedWhenItIsIdleAfterARequest) {
  live({.inactivity_timeout = 5min});
  EXPECT_THAT(step_after(1h), IsEmpty());
  const RunningRequest request = begin(0);
  EXPECT_THAT(step_after(10min), IsEmpty());
  finish(request);
  EXPECT_THAT(step(), IsEmpty());
  EXPECT_EQ(life->next_deadline(), now + 5min);
  EXPECT_THAT(step_after(5min),
              ElementsAre(order(Kind::ask_successor, EndReason::inactivity_timeout)));
}

TEST_F(WorkerLifeTest, IsIdleWithWebSocketsInWhichNothingMoves) {
  live({.inactivity_timeout = 5min});
  finish(begin(0));
  seen.sockets = 2;
  EXPECT_THAT(step_after(4min), IsEmpty());
  seen.last_end = now;  // a message
  EXPECT_THAT(step_after(4min), IsEmpty());
  EXPECT_EQ(life->next_deadline(), now + 1min);
  EXPECT_THAT(step_after(1min),
              ElementsAre(order(Kind::ask_successor, EndReason::inactivity_timeout)));
}

TEST_F(WorkerLifeTest, IsReplacedWhenItHasGrown) {
  live({.resident_bytes_max = 1000});
  seen.resident_bytes = 999;
  EXPECT_THAT(step(), IsEmpty());
  EXPECT_EQ(life->next_deadline(), now + 1s);
  seen.resident_bytes = 1000;
  EXPECT_THAT(step(), ElementsAre(order(Kind::ask_successor, EndReason::memory_limit)));
}

TEST_F(WorkerLifeTest, IsReplacedForASignalWithTheFirstReason) {
  live({.graceful_timeout = 15s, .eviction_timeout = 60s});
  life->replace(EndReason::eviction);
  life->replace(EndReason::cpu_time_limit);
  EXPECT_THAT(step(), ElementsAre(order(Kind::ask_successor, EndReason::eviction)));
  begin(0);
  life->stop(now);
  step();
  EXPECT_EQ(life->next_deadline(), now + 60s);
}

TEST_F(WorkerLifeTest, DrainsWhenItsFirstRequestImportsNothing) {
  live({.startup_timeout = 30s, .graceful_timeout = 15s});
  EXPECT_THAT(step_after(1h), IsEmpty());
  begin(0);
  EXPECT_THAT(step(), IsEmpty());
  EXPECT_EQ(life->next_deadline(), now + 30s);
  EXPECT_THAT(step_after(30s), ElementsAre(order(Kind::drain, EndReason::startup_timeout)));
}

TEST_F(WorkerLifeTest, HasNoStartupTimeoutOnceAScriptIsThere) {
  live({.startup_timeout = 30s});
  begin(0);
  step();
  seen.script_loaded = true;
  EXPECT_THAT(step_after(1h), IsEmpty());
}

TEST_F(WorkerLifeTest, InterruptsNoImport) {
  live({.request_timeout = 3s, .interrupt_timeout = 1s});
  begin(0);
  running.front().importing = true;
  EXPECT_THAT(step_after(1h), IsEmpty());
  running.front().importing = false;
  running.front().began = now;
  EXPECT_THAT(step(), IsEmpty());
  EXPECT_EQ(life->next_deadline(), now + 3s);
  EXPECT_THAT(step_after(3s), ElementsAre(order(Kind::interrupt, running.front())));
}

TEST_F(WorkerLifeTest, DrainsWhenAnImportTakesTooLongAlthoughAnotherScriptIsThere) {
  live({.startup_timeout = 30s, .graceful_timeout = 15s});
  begin(0);
  seen.script_loaded = true;
  step_after(1h);
  begin(1);
  running.back().importing = true;
  EXPECT_THAT(step(), IsEmpty());
  EXPECT_EQ(life->next_deadline(), now + 30s);
  EXPECT_THAT(step_after(30s), ElementsAre(order(Kind::drain, EndReason::startup_timeout)));
}

TEST_F(WorkerLifeTest, EndsAtOnceWhenALockCannotBeHad) {
  live({.deadlock_timeout = 60s});
  begin(0);
  EXPECT_THAT(step(), IsEmpty());
  EXPECT_EQ(life->next_deadline(), now + 5s);
  seen.lock_waited_since = now;
  EXPECT_THAT(step_after(60s - 1ms), IsEmpty());
  EXPECT_EQ(life->next_deadline(), now + 1ms);
  EXPECT_THAT(step_after(1ms), ElementsAre(order(Kind::end_at_once, EndReason::deadlock_timeout)));
}

TEST_F(WorkerLifeTest, NamesAnEventLoopThatStandsStillOnceForEachTime) {
  live({});
  seen.has_loops = true;
  EXPECT_THAT(step(), IsEmpty());
  EXPECT_EQ(life->next_deadline(), now + 500ms);
  seen.loop_blocked_since = now;
  EXPECT_THAT(step_after(999ms), IsEmpty());
  EXPECT_THAT(step_after(1ms), ElementsAre(order(Kind::name_blocked)));
  EXPECT_THAT(step_after(1h), IsEmpty());
  seen.loop_blocked_since.reset();
  EXPECT_THAT(step_after(1s), IsEmpty());
  seen.loop_blocked_since = now;
  EXPECT_THAT(step_after(1s), ElementsAre(order(Kind::name_blocked)));
}

TEST_F(WorkerLifeTest, DrainsWhenAnEventLoopStandsStillForDeadlockTimeout) {
  live({.deadlock_timeout = 10s});
  seen.has_loops = true;
  seen.loop_blocked_since = now;
  EXPECT_THAT(step_after(1s), ElementsAre(order(Kind::name_blocked)));
  EXPECT_THAT(step_after(9s), ElementsAre(order(Kind::drain, EndReason::deadlock_timeout)));
}

TEST_F(WorkerLifeTest, NeverHasADeadlineThatAStepLeavesInThePast) {
  live({.request_timeout = 3s,
        .interrupt_timeout = 2s,
        .deadlock_timeout = 100h,
        .startup_timeout = 5s,
        .inactivity_timeout = 4s,
        .restart_interval = 50s,
        .graceful_timeout = 1h});
  for (int i = 0; i < 100; ++i) {
    now += 977ms;
    if (i % 7 == 0) begin(0, i);
    if (i % 7 == 2 && !running.empty()) finish(running.front());
    step();
    EXPECT_TRUE(!life->next_deadline() || *life->next_deadline() > now);
  }
}

}  // namespace
}  // namespace pyhost::worker
