// A process group's scoreboard, as the supervisor writes it.
#pragma once

#include <sys/types.h>

#include "metrics/scoreboard.h"
#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"
#include "supervisor/death.h"
#include "supervisor/slot_life.h"

namespace pyhost::supervisor {

// Used by the supervisor's one thread. What is recorded is seen by httpd's children at once: a
// death is recorded before the next worker of the slot starts.
class ScoreboardRecorder {
 public:
  // Fails when the files are no scoreboard of this build.
  static base::Result<ScoreboardRecorder> open(base::UniqueFd board, base::UniqueFd reports);

  // What workers inherit; stays the recorder's.
  int board_for_workers() const noexcept { return board_for_workers_.get(); }
  int reports() const noexcept { return reports_.get(); }

  unsigned slots() const noexcept { return board_.slots(); }
  // Of the last worker that the slot has stood for; 0 when there was none.
  unsigned last_generation(unsigned slot) const noexcept { return board_.status(slot).generation; }
  metrics::SlotStatus status(unsigned slot) const noexcept { return board_.status(slot); }
  // Requests that wait for a worker of the group.
  unsigned waiting() const noexcept { return board_.waiting(); }
  // Whether a child of httpd may still send it requests.
  bool has_children() noexcept { return board_.has_children(); }

  // From now on the slot stands for this worker. While an older one still serves, its successor
  // takes the slot over when it is ready, not when it starts.
  void take_over(unsigned slot, pid_t pid, unsigned generation, unsigned threads,
                 unsigned report) noexcept;
  void set_state(unsigned slot, SlotState state) noexcept;
  // The worker of the slot goes on because its successor, started at that moment (microseconds
  // since the epoch), could not start.
  void keep_generation(unsigned slot, std::int64_t successor_started_us) noexcept;
  // Whether an operator has stopped the group: httpd's children then send it nothing.
  void stop_group() noexcept { board_.stop_group(); }
  void start_group() noexcept { board_.start_group(); }
  bool is_stopped() const noexcept { return board_.is_stopped(); }
  // A worker of the slot has ended, perhaps not the one that the slot stands for.
  void record_death(unsigned slot, pid_t pid, unsigned generation, const Death& death) noexcept;

 private:
  ScoreboardRecorder(metrics::Scoreboard board, base::UniqueFd board_for_workers,
                     base::UniqueFd reports) noexcept
      : board_(std::move(board)),
        board_for_workers_(std::move(board_for_workers)),
        reports_(std::move(reports)) {}

  metrics::Scoreboard board_;
  base::UniqueFd board_for_workers_;
  base::UniqueFd reports_;
};

}  // namespace pyhost::supervisor
