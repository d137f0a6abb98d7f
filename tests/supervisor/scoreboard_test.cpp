// What the supervisor writes on the scoreboard.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>

#include "supervisor/supervisor_fixture.h"

namespace pyhost::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

using SupervisorRecords = SupervisorFixture;

TEST_F(SupervisorRecords, RefuseMoreWorkersThanTheScoreboardHasRoomFor) {
  want("one", {{"processes", "5"}});
  EXPECT_THAT(apply(), HasSubstr("WSGIDaemonProcess one: the scoreboard has no room"));
}

TEST_F(SupervisorRecords, SayWhoServesASlot) {
  want("one", {{"processes", "2"}, {"threads", "7"}});
  ASSERT_EQ(apply(), "");
  const pid_t pid = worker_pid(0, 1);
  const auto ready = [this] { return slot_status(1).state == scoreboard::SlotState::ready; };
  ASSERT_TRUE(wait_until(ready));
  const scoreboard::SlotStatus status = slot_status(1);
  EXPECT_EQ(status.pid, pid);
  EXPECT_EQ(status.generation, 1u);
  EXPECT_EQ(status.capacity, 7u);
  EXPECT_EQ(slot_status(2).state, scoreboard::SlotState::empty);
}

TEST_F(SupervisorRecords, HaveTheDeathBeforeTheNextWorkerStarts) {
  want("one");
  ASSERT_EQ(apply(), "");
  const pid_t first = worker_pid(0);
  ask(0, 0, "exit 3");
  ASSERT_EQ(observe(0)["assignment"]["generation"], 2);
  const scoreboard::Death death = slot_status(0).last_death;
  EXPECT_EQ(death.cause, scoreboard::DeathCause::exited);
  EXPECT_EQ(death.detail, 3);
  EXPECT_EQ(death.pid, first);
  EXPECT_EQ(death.generation, 1u);
  kill(worker_pid(0), SIGKILL);
  ASSERT_EQ(observe(0)["assignment"]["generation"], 3);
  EXPECT_EQ(slot_status(0).last_death.cause, scoreboard::DeathCause::signalled);
  EXPECT_EQ(slot_status(0).last_death.detail, SIGKILL);
}

TEST_F(SupervisorRecords, SayWhichTimeoutKilledAWorker) {
  want("one", {{"startup-timeout", "50ms"}}, {{"silent", true}});
  ASSERT_EQ(apply(), "");
  ASSERT_TRUE(logged("PH0406"));
  const auto recorded = [this] { return slot_status(0).last_death; };
  EXPECT_EQ(recorded().cause, scoreboard::DeathCause::startup_timeout);
  EXPECT_EQ(recorded().detail, 50);
}

TEST_F(SupervisorRecords, LeaveASlotReadyWhileItsWorkerIsRenewed) {
  want("one");
  ASSERT_EQ(apply(), "");
  ASSERT_TRUE(logged("PH0404"));
  ASSERT_EQ(apply(), "");
  for (auto seen = slot_status(0); seen.generation == 1; seen = slot_status(0)) {
    ASSERT_EQ(seen.state, scoreboard::SlotState::ready) << log_text();
  }
  EXPECT_TRUE(logged("PH0405"));
  const auto ready = [this] { return slot_status(0).state == scoreboard::SlotState::ready; };
  EXPECT_TRUE(wait_until(ready));
}

TEST_F(SupervisorRecords, ReplaceAWorkerThatWantsASuccessorWithoutAGap) {
  want("one");
  ASSERT_EQ(apply(), "");
  const pid_t first = worker_pid(0);
  ASSERT_TRUE(logged("PH0404"));
  ask(0, 0, R"(say {"relieve":"restart-interval"})");
  for (auto seen = slot_status(0); seen.generation == 1; seen = slot_status(0)) {
    ASSERT_EQ(seen.state, scoreboard::SlotState::ready) << log_text();
  }
  EXPECT_TRUE(wait_until([first] { return !is_alive(first); }));
  EXPECT_THAT(log_text(), HasSubstr(fmt::format(
                              "pid {}, generation 1) is to be replaced: restart-interval", first)));
  EXPECT_EQ(observe(0)["assignment"]["generation"], 2);
}

TEST_F(SupervisorRecords, NameTheLimitThatHasEndedAWorker) {
  want("one");
  ASSERT_EQ(apply(), "");
  const pid_t first = worker_pid(0);
  ask(0, 0, R"(say {"draining":"request-timeout"})");
  // The successor does not wait for the end of the worker.
  ASSERT_TRUE(logged("PH0404", 2));
  EXPECT_TRUE(is_alive(first));
  kill(first, SIGTERM);
  EXPECT_TRUE(
      logged(fmt::format("(pid {}, generation 1) has ended because a request ran longer than "
                         "request-timeout",
                         first)));
  const scoreboard::Death death = slot_status(0).last_death;
  EXPECT_EQ(death.cause, scoreboard::DeathCause::request_timeout);
  EXPECT_EQ(death.generation, 1u);
}

}  // namespace
}  // namespace pyhost::test
