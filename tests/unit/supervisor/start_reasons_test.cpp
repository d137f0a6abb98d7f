#include "supervisor/group/start_reasons.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "supervisor/group/process_usage.h"

namespace pyhost::supervisor {
namespace {

using control::EndReason;
using scoreboard::Death;
using scoreboard::DeathCause;

TEST(StartReasons, OfAGroupThatIsNewAreTheFirst) {
  StartReasons reasons;
  reasons.renewed(2, StartReason::operators);
  EXPECT_EQ(reasons.take(0), StartReason::first);
  EXPECT_EQ(reasons.take(1), StartReason::first);
}

TEST(StartReasons, OfARestartAreTheOperatorsButForNewSlots) {
  StartReasons reasons;
  reasons.renewed(1, StartReason::operators);
  EXPECT_EQ(reasons.take(0), StartReason::first);
  reasons.renewed(3, StartReason::operators);
  EXPECT_EQ(reasons.take(0), StartReason::operators);
  EXPECT_EQ(reasons.take(1), StartReason::scale);
  EXPECT_EQ(reasons.take(2), StartReason::scale);
}

TEST(StartReasons, CountOnceForTheFirstThatWasNoted) {
  StartReasons reasons;
  reasons.renewed(1, StartReason::operators);
  reasons.take(0);
  reasons.changed();
  reasons.note(0, StartReason::memory);
  reasons.ended(0, {.cause = DeathCause::signalled, .detail = 11});
  EXPECT_EQ(reasons.take(0), StartReason::deploy);
  EXPECT_EQ(reasons.take(0), StartReason::crash);
}

TEST(StartReasons, TellHowTheWorkerBeforeHasEnded) {
  const std::pair<DeathCause, StartReason> kEnds[] = {
      {DeathCause::exited, StartReason::crash},
      {DeathCause::signalled, StartReason::crash},
      {DeathCause::out_of_memory, StartReason::crash},
      {DeathCause::startup_timeout, StartReason::timeout},
      {DeathCause::request_timeout, StartReason::timeout},
      {DeathCause::silence, StartReason::timeout},
  };
  StartReasons reasons;
  reasons.renewed(1, StartReason::operators);
  reasons.take(0);
  for (const auto& [cause, reason] : kEnds) {
    reasons.ended(0, {.cause = cause, .detail = 1});
    EXPECT_EQ(reasons.take(0), reason) << name_of(cause);
  }
}

TEST(StartReasons, TellTheLimitThatAWorkerWasOver) {
  EXPECT_EQ(start_reason_of(EndReason::maximum_requests), StartReason::max_requests);
  EXPECT_EQ(start_reason_of(EndReason::memory_limit), StartReason::memory);
  EXPECT_EQ(start_reason_of(EndReason::lifespan_lost), StartReason::crash);
  EXPECT_EQ(start_reason_of(EndReason::restart_interval), StartReason::limit);
  EXPECT_EQ(start_reason_of(EndReason::deadlock_timeout), StartReason::timeout);
  EXPECT_EQ(start_reason_of(EndReason::eviction), StartReason::operators);
}

TEST(ProcessUsage, IsKnownOfALivingProcess) {
  const auto resident = resident_bytes_of(::getpid());
  const auto proportional = proportional_bytes_of(::getpid());
  ASSERT_TRUE(resident && proportional);
  EXPECT_GT(*proportional, 0u);
  EXPECT_LE(*proportional, *resident * 2);
  EXPECT_TRUE(processor_time_of(::getpid()));
}

TEST(ProcessUsage, IsNotKnownOfOneThatThereIsNot) {
  EXPECT_FALSE(resident_bytes_of(0));
  EXPECT_FALSE(proportional_bytes_of(0));
  EXPECT_FALSE(processor_time_of(pid_t{0}));
}

}  // namespace
}  // namespace pyhost::supervisor
