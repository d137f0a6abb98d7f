#include "supervisor/group/cause_of_death.h"

#include <gmock/gmock.h>
#include <signal.h>

#include "harness/temp_dir.h"

namespace pyhost::supervisor {
namespace {

using control::EndReason;
using scoreboard::Death;

siginfo_t ended(int code, int status) {
  siginfo_t info{};
  info.si_code = code;
  info.si_status = status;
  return info;
}

TEST(Death, HasTheCauseThatFits) {
  using Cause = scoreboard::DeathCause;
  const LifeLimits limits{.startup_max = base::Milliseconds(15),
                          .drain_max = base::Milliseconds(20)};
  const auto cause = [&](const siginfo_t& info, KillReason killed, bool oom) {
    return death_of(info, killed, limits, oom);
  };
  EXPECT_EQ(cause(ended(CLD_EXITED, 3), KillReason::none, false), (Death{Cause::exited, 3}));
  EXPECT_EQ(cause(ended(CLD_DUMPED, SIGSEGV), KillReason::none, true),
            (Death{Cause::signalled, SIGSEGV}));
  EXPECT_EQ(cause(ended(CLD_KILLED, SIGKILL), KillReason::none, false),
            (Death{Cause::signalled, SIGKILL}));
  EXPECT_EQ(cause(ended(CLD_KILLED, SIGKILL), KillReason::none, true),
            (Death{Cause::out_of_memory, 0}));
  EXPECT_EQ(cause(ended(CLD_KILLED, SIGKILL), KillReason::startup_timeout, true),
            (Death{Cause::startup_timeout, 15}));
  EXPECT_EQ(cause(ended(CLD_KILLED, SIGKILL), KillReason::drain_timeout, false),
            (Death{Cause::drain_timeout, 20}));
  EXPECT_EQ(cause(ended(CLD_EXITED, 0), KillReason::drain_timeout, false),
            (Death{Cause::exited, 0}));
}

TEST(OomCounter, SeesEachKillOnce) {
  const test::TempDir folder;
  const std::string file = folder.write("memory.events", "low 0\noom 1\noom_kill 1\n");
  OomCounter counter(file);
  EXPECT_FALSE(counter.has_grown());
  folder.write("memory.events", "low 7\noom 2\noom_kill 2\noom_group_kill 0\n");
  EXPECT_TRUE(counter.has_grown());
  EXPECT_FALSE(counter.has_grown());
}

TEST(OomCounter, NeverGrowsWithoutAFile) {
  OomCounter counter("/no/such/file");
  EXPECT_FALSE(counter.has_grown());
}

TEST(Death, IsNoneWhenTheWorkerWasToEnd) {
  using Cause = scoreboard::DeathCause;
  const auto planned = [](SlotState state, Cause cause, int detail) {
    return is_planned({.state = state, .killed = KillReason::none, .generation = 1},
                      {.cause = cause, .detail = detail});
  };
  EXPECT_TRUE(planned(SlotState::draining, Cause::exited, 0));
  EXPECT_TRUE(planned(SlotState::draining, Cause::signalled, SIGTERM));
  EXPECT_TRUE(planned(SlotState::draining, Cause::signalled, control::kHurrySignal));
  EXPECT_FALSE(planned(SlotState::draining, Cause::exited, 1));
  EXPECT_FALSE(planned(SlotState::draining, Cause::signalled, SIGSEGV));
  EXPECT_FALSE(planned(SlotState::draining, Cause::drain_timeout, 5));
  EXPECT_FALSE(planned(SlotState::draining, Cause::request_timeout, 0));
  EXPECT_FALSE(planned(SlotState::ready, Cause::exited, 0));
  EXPECT_FALSE(planned(SlotState::ready, Cause::signalled, SIGTERM));
}

TEST(Death, HasTheReasonThatTheWorkerGave) {
  using Cause = scoreboard::DeathCause;
  const Death orderly{Cause::exited, 0};
  EXPECT_EQ(with_reason(orderly, EndReason::request_timeout).cause, Cause::request_timeout);
  EXPECT_EQ(with_reason(orderly, EndReason::deadlock_timeout).cause, Cause::deadlock_timeout);
  EXPECT_EQ(with_reason(orderly, EndReason::startup_timeout).cause, Cause::import_timeout);
  EXPECT_EQ(with_reason({Cause::drain_timeout, 20}, EndReason::request_timeout).cause,
            Cause::request_timeout);
  EXPECT_EQ(with_reason(orderly, std::nullopt), orderly);
  EXPECT_EQ(with_reason({Cause::signalled, SIGSEGV}, EndReason::request_timeout),
            (Death{Cause::signalled, SIGSEGV}));
}

}  // namespace
}  // namespace pyhost::supervisor
