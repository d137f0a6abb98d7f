// The scoreboard of a process group, as everybody who uses it has it.
#pragma once

#include <gtest/gtest.h>

#include "scoreboard/scoreboard.h"
#include "scoreboard/worker_seat.h"

namespace pyhost::test {

class GroupBoard {
 public:
  GroupBoard(std::uint32_t slots, std::uint32_t children, std::uint32_t waiters)
      : files_(metrics::make_board_files({.slots = slots, .children = children, .waiters = waiters})
                   .value()),
        for_workers_(metrics::open_board_for_reading(files_.board.get()).value()),
        board_(metrics::Scoreboard::map(files_.board.get(), files_.reports.get()).value()) {}

  metrics::Scoreboard& operator*() noexcept { return board_; }
  metrics::Scoreboard* operator->() noexcept { return &board_; }
  const metrics::Scoreboard* operator->() const noexcept { return &board_; }

  int board_fd() const noexcept { return files_.board.get(); }
  int board_for_workers_fd() const noexcept { return for_workers_.get(); }
  int reports_fd() const noexcept { return files_.reports.get(); }

  metrics::Scoreboard map_again() const {
    return metrics::Scoreboard::map(board_fd(), reports_fd()).value();
  }
  // As the worker of that generation.
  metrics::WorkerSeat seat(std::uint32_t slot, std::uint32_t generation,
                           std::uint32_t report = 0) const {
    return metrics::WorkerSeat::take(board_for_workers_fd(), reports_fd(), slot, generation, report)
        .value();
  }

 private:
  metrics::BoardFiles files_;
  base::UniqueFd for_workers_;
  metrics::Scoreboard board_;
};

}  // namespace pyhost::test
