#include "supervisor/group/group_log.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace pyhost::supervisor {
namespace {

using base::LogLevel;
using base::Message;
using scoreboard::Death;
using scoreboard::DeathCause;

constexpr Death kOrderly{.cause = DeathCause::exited};
constexpr Death kCrash{.cause = DeathCause::signalled, .detail = SIGSEGV};

EndRecord record(SlotState state, const Death& death, KillReason killed = KillReason::none) {
  return record_of_end({.state = state, .killed = killed, .generation = 1}, death);
}

TEST(GroupLog, RecordsTheEndOfAWorkerByWhatItWasDoing) {
  const EndRecord ended{LogLevel::info, Message::generation_ended};
  const EndRecord died{LogLevel::error, Message::generation_died};
  EXPECT_EQ(record(SlotState::draining, kOrderly), ended);
  EXPECT_EQ(record(SlotState::draining, kCrash), ended);
  EXPECT_EQ(record(SlotState::ready, kOrderly), ended);
  EXPECT_EQ(record(SlotState::ready, kCrash), died);
  EXPECT_EQ(record(SlotState::standby, kCrash), died);
}

TEST(GroupLog, RecordsALimitAsAnErrorWhateverTheWorkerWasDoing) {
  const EndRecord limit{LogLevel::error, Message::generation_ended};
  const Death death{.cause = DeathCause::request_timeout};
  EXPECT_EQ(record(SlotState::draining, death), limit);
  EXPECT_EQ(record(SlotState::draining, death, KillReason::drain_timeout), limit);
}

TEST(GroupLog, RecordsAWorkerThatHadToBeKilled) {
  const Death death{.cause = DeathCause::drain_timeout, .detail = 20};
  EXPECT_EQ(record(SlotState::draining, death, KillReason::drain_timeout),
            (EndRecord{LogLevel::error, Message::generation_killed}));
}

TEST(GroupLog, SaysWhyAWorkerCouldNotStart) {
  LivingWorker worker{.status = control::StatusReader(base::UniqueFd())};
  EXPECT_EQ(why_it_could_not_start(worker, kCrash), "it was killed by signal 11 (SIGSEGV)");
  worker.last_step = control::StartStep::preload;
  EXPECT_EQ(why_it_could_not_start(worker, kCrash),
            "it was killed by signal 11 (SIGSEGV) at the step 'preload'");
  worker.failure = "the group's user has no home";
  EXPECT_EQ(why_it_could_not_start(worker, kCrash), "the group's user has no home");
}

}  // namespace
}  // namespace pyhost::supervisor
