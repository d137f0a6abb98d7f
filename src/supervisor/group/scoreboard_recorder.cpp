#include "supervisor/group/scoreboard_recorder.h"

#include <utility>

#include "base/clock.h"

namespace pyhost::supervisor {
namespace {

scoreboard::SlotState state_of(SlotState state) noexcept {
  switch (state) {
    case SlotState::empty:
      return scoreboard::SlotState::empty;
    case SlotState::starting:
      return scoreboard::SlotState::starting;
    case SlotState::ready:
      return scoreboard::SlotState::ready;
    case SlotState::draining:
      break;
  }
  return scoreboard::SlotState::draining;
}

void set_cause(scoreboard::Death& record, const Death& death) noexcept {
  const auto timeout = [&record](scoreboard::TimeoutKind kind) {
    record.cause = scoreboard::DeathCause::timeout;
    record.detail = static_cast<std::uint16_t>(kind);
  };
  switch (death.cause) {
    case Death::Cause::exited:
      record.cause = scoreboard::DeathCause::exited;
      record.detail = static_cast<std::uint16_t>(death.detail);
      break;
    case Death::Cause::signalled:
      record.cause = scoreboard::DeathCause::signal;
      record.detail = static_cast<std::uint16_t>(death.detail);
      break;
    case Death::Cause::out_of_memory:
      record.cause = scoreboard::DeathCause::out_of_memory;
      break;
    case Death::Cause::request_timeout:
      timeout(scoreboard::TimeoutKind::request);
      break;
    case Death::Cause::deadlock_timeout:
      timeout(scoreboard::TimeoutKind::deadlock);
      break;
    case Death::Cause::startup_timeout:
    case Death::Cause::import_timeout:
      timeout(scoreboard::TimeoutKind::startup);
      break;
    case Death::Cause::silence:
      timeout(scoreboard::TimeoutKind::silence);
      break;
    case Death::Cause::drain_timeout:
      timeout(scoreboard::TimeoutKind::shutdown);
      break;
  }
}

}  // namespace

base::Result<ScoreboardRecorder> ScoreboardRecorder::open(base::UniqueFd board,
                                                          base::UniqueFd reports) {
  PH_TRY(mapped, scoreboard::Scoreboard::map(board.get(), reports.get()));
  PH_TRY(for_workers, scoreboard::open_board_for_reading(board.get()));
  return ScoreboardRecorder(std::move(mapped), std::move(for_workers), std::move(reports));
}

void ScoreboardRecorder::take_over(unsigned row, pid_t pid, unsigned generation, unsigned threads,
                                   unsigned report) noexcept {
  board_.begin_generation(row, pid, generation, threads, report);
}

void ScoreboardRecorder::set_state(unsigned row, SlotState state) noexcept {
  // A row without a worker stays dead, if one has died in it.
  const bool died = board_.status(row).state == scoreboard::SlotState::dead;
  if (state != SlotState::empty || !died) board_.set_state(row, state_of(state));
}

void ScoreboardRecorder::clear(unsigned row) noexcept {
  if (board_.is_used(row)) board_.set_state(row, scoreboard::SlotState::empty);
}

void ScoreboardRecorder::keep_generation(unsigned row, std::int64_t successor_started_us) noexcept {
  board_.keep_generation(row, successor_started_us);
}

void ScoreboardRecorder::record_death(unsigned row, pid_t pid, unsigned generation,
                                      const Death& death) noexcept {
  scoreboard::Death record{.generation = generation, .pid = pid, .time_us = base::now_us()};
  set_cause(record, death);
  board_.record_death(row, record);
}

}  // namespace pyhost::supervisor
