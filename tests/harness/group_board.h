// The scoreboard of a process group, as everybody who uses it has it.
#pragma once

#include <gtest/gtest.h>

#include "scoreboard/report_writer.h"
#include "scoreboard/scoreboard.h"

namespace pyhost::test {

class GroupBoard {
 public:
  GroupBoard(std::uint32_t slots, std::uint32_t children, std::uint32_t waiters)
      : files_(
            scoreboard::make_board_files({.slots = slots, .children = children, .waiters = waiters})
                .value()),
        for_workers_(scoreboard::open_board_for_reading(files_.board.get()).value()),
        board_(scoreboard::Scoreboard::map(files_.board.get(), files_.reports.get()).value()) {}

  scoreboard::Scoreboard& operator*() noexcept { return board_; }
  scoreboard::Scoreboard* operator->() noexcept { return &board_; }
  const scoreboard::Scoreboard* operator->() const noexcept { return &board_; }

  int board_fd() const noexcept { return files_.board.get(); }
  int board_for_workers_fd() const noexcept { return for_workers_.get(); }
  int reports_fd() const noexcept { return files_.reports.get(); }

  scoreboard::Scoreboard map_again() const {
    return scoreboard::Scoreboard::map(board_fd(), reports_fd()).value();
  }
  // As the worker of that generation.
  scoreboard::ReportWriter writer(std::uint32_t slot, std::uint32_t generation,
                                  std::uint32_t report = 0) const {
    return scoreboard::ReportWriter::take(board_for_workers_fd(), reports_fd(), slot, generation,
                                          report)
        .value();
  }

 private:
  scoreboard::BoardFiles files_;
  base::UniqueFd for_workers_;
  scoreboard::Scoreboard board_;
};

}  // namespace pyhost::test
