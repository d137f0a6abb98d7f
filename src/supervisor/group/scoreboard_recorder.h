// A process group's scoreboard, as the supervisor writes it.
#pragma once

#include <sys/types.h>

#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"
#include "scoreboard/scoreboard.h"
#include "supervisor/group/death.h"
#include "supervisor/group/slot_life.h"

namespace pyhost::supervisor {

// In rows, of which a slot has several: see board_rows.h. Used by the supervisor's one thread. What
// is recorded is seen by httpd's children at once: a death is recorded before the next worker of
// the slot starts.
class ScoreboardRecorder {
 public:
  // Fails when the files are no scoreboard of this build.
  static base::Result<ScoreboardRecorder> open(base::UniqueFd board, base::UniqueFd reports);

  // What workers inherit; stays the recorder's.
  int board_for_workers() const noexcept { return board_for_workers_.get(); }
  int reports() const noexcept { return reports_.get(); }

  unsigned rows() const noexcept { return board_.slots(); }
  // Of the last worker that the row has stood for; 0 when there was none.
  unsigned last_generation(unsigned row) const noexcept { return board_.status(row).generation; }
  scoreboard::SlotStatus status(unsigned row) const noexcept { return board_.status(row); }
  // Requests that wait for a worker of the group.
  unsigned waiting() const noexcept { return board_.waiting(); }
  // Whether a child of httpd may still send it requests.
  bool has_children() noexcept { return board_.has_children(); }

  // From now on the row stands for this worker. While an older one still serves, its successor
  // takes the row over when it is ready, not when it starts.
  void take_over(unsigned row, pid_t pid, unsigned generation, unsigned threads,
                 unsigned report) noexcept;
  void set_state(unsigned row, SlotState state) noexcept;
  // Whoever the row stands for, it is no worker that lives.
  void clear(unsigned row) noexcept;
  // The worker of the row goes on because its successor, started at that moment (microseconds
  // since the epoch), could not start.
  void keep_generation(unsigned row, std::int64_t successor_started_us) noexcept;
  // Whether an operator has stopped the group: httpd's children then send it nothing.
  void stop_group() noexcept { board_.stop_group(); }
  void start_group() noexcept { board_.start_group(); }
  bool is_stopped() const noexcept { return board_.is_stopped(); }
  // The worker of that generation serves.
  void note_sign_of_life(unsigned row, unsigned generation) noexcept {
    board_.note_sign_of_life(row, generation);
  }
  // A worker of the row has ended, perhaps not the one that the row stands for.
  void record_death(unsigned row, pid_t pid, unsigned generation, const Death& death) noexcept;

 private:
  ScoreboardRecorder(scoreboard::Scoreboard board, base::UniqueFd board_for_workers,
                     base::UniqueFd reports) noexcept
      : board_(std::move(board)),
        board_for_workers_(std::move(board_for_workers)),
        reports_(std::move(reports)) {}

  scoreboard::Scoreboard board_;
  base::UniqueFd board_for_workers_;
  base::UniqueFd reports_;
};

}  // namespace pyhost::supervisor
