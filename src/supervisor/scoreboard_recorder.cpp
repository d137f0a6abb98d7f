#include "supervisor/scoreboard_recorder.h"

#include <fcntl.h>

#include <chrono>

#include "metrics/scoreboard.h"

namespace pyhost::supervisor {
namespace {

metrics::SlotId slot_id(SlotPosition position) noexcept {
  return {.group = position.group, .slot = position.slot};
}

metrics::SlotState state_of(SlotState state) noexcept {
  switch (state) {
    case SlotState::empty:
      return metrics::SlotState::empty;
    case SlotState::starting:
      return metrics::SlotState::starting;
    case SlotState::ready:
      return metrics::SlotState::ready;
    case SlotState::draining:
      break;
  }
  return metrics::SlotState::draining;
}

void set_cause(metrics::Death& record, const Death& death) noexcept {
  const auto timeout = [&record](metrics::TimeoutKind kind) {
    record.cause = metrics::DeathCause::timeout;
    record.detail = static_cast<std::uint16_t>(kind);
  };
  switch (death.cause) {
    case Death::Cause::exited:
      record.cause = metrics::DeathCause::exited;
      record.detail = static_cast<std::uint16_t>(death.detail);
      break;
    case Death::Cause::signalled:
      record.cause = metrics::DeathCause::signal;
      record.detail = static_cast<std::uint16_t>(death.detail);
      break;
    case Death::Cause::out_of_memory:
      record.cause = metrics::DeathCause::out_of_memory;
      break;
    case Death::Cause::request_timeout:
      timeout(metrics::TimeoutKind::request);
      break;
    case Death::Cause::deadlock_timeout:
      timeout(metrics::TimeoutKind::deadlock);
      break;
    case Death::Cause::startup_timeout:
    case Death::Cause::import_timeout:
      timeout(metrics::TimeoutKind::startup);
      break;
    case Death::Cause::drain_timeout:
      timeout(metrics::TimeoutKind::shutdown);
      break;
  }
}

class ScoreboardRecorder final : public SlotRecorder {
 public:
  explicit ScoreboardRecorder(metrics::Scoreboard board) noexcept : board_(std::move(board)) {}

  bool has(SlotPosition position) const noexcept override {
    return position.group < board_.groups() && position.slot < board_.slots(position.group);
  }

  unsigned last_generation(SlotPosition position) const noexcept override {
    return board_.status(slot_id(position)).generation;
  }

  void take_over(SlotPosition position, pid_t pid, unsigned generation,
                 unsigned threads) noexcept override {
    board_.begin_generation(slot_id(position), pid, generation, threads);
  }

  void set_state(SlotPosition position, SlotState state) noexcept override {
    const metrics::SlotId id = slot_id(position);
    // A slot without a worker stays dead, if one has died in it.
    if (state == SlotState::empty && board_.status(id).state == metrics::SlotState::dead) return;
    board_.set_state(id, state_of(state));
  }

  void keep_generation(SlotPosition position, std::int64_t successor_started_us) noexcept override {
    board_.keep_generation(slot_id(position), successor_started_us);
  }

  void stop_group(unsigned group) noexcept override { board_.stop_group(group); }
  void start_group(unsigned group) noexcept override { board_.start_group(group); }
  bool is_stopped(unsigned group) const noexcept override { return board_.is_stopped(group); }

  metrics::SlotStatus status(SlotPosition position) const noexcept override {
    return board_.status(slot_id(position));
  }

  unsigned waiting(unsigned group) const noexcept override { return board_.queue(group).length(); }

  void record_death(SlotPosition position, pid_t pid, unsigned generation,
                    const Death& death) noexcept override {
    using std::chrono::duration_cast, std::chrono::microseconds, std::chrono::system_clock;
    const auto now = system_clock::now().time_since_epoch();
    metrics::Death record{
        .generation = generation, .pid = pid, .time_us = duration_cast<microseconds>(now).count()};
    set_cause(record, death);
    board_.record_death(slot_id(position), record);
  }

 private:
  metrics::Scoreboard board_;
};

}  // namespace

base::Result<std::unique_ptr<SlotRecorder>> record_on_scoreboard(int memory) {
  PH_TRY(board, metrics::Scoreboard::map(base::UniqueFd(fcntl(memory, F_DUPFD_CLOEXEC, 0))));
  return std::make_unique<ScoreboardRecorder>(std::move(board));
}

}  // namespace pyhost::supervisor
