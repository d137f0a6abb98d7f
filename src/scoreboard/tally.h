// What one httpd child adds to the totals of a process group.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "pyhost/gateway/failure_cause.h"
#include "pyhost/gateway/question.h"
#include "pyhost/gateway/request_times.h"
#include "pyhost/gateway/run_figures.h"
#include "scoreboard/request_cell.h"
#include "scoreboard/totals_memory.h"

namespace pyhost::scoreboard {

// One that is over.
struct CountedRequest {
  std::string_view application_group;
  int status = 0;  // that the client has had
  gateway::FailureCause failure = gateway::FailureCause::none;
  const gateway::RequestTimes& times;
  gateway::RunFigures figures;
  std::uint64_t body_bytes = 0;
  std::uint64_t reply_bytes = 0;
};

// A view that is cheap to make, for any thread of the child. Lock-free; costs a few additions to
// words that other children seldom touch, and no system call. The board outlives it.
class Tally {
 public:
  Tally(BoardTotals& totals, const RequestRows& requests, std::uint32_t child) noexcept
      : totals_(&totals), stripe_(&totals.stripes[child % kStripes]), requests_(requests) {}

  // For the mark of a request that begins now. Without a cell where the child has more of them than
  // the board has room for: then it is not seen among those that run.
  [[nodiscard]] RequestRow row_for(base::TimePoint now) const noexcept;
  void count(const CountedRequest& request) const noexcept;
  // A thread that may run requests was taken for so long.
  void note_busy(std::chrono::nanoseconds time) const noexcept;
  void count_question(gateway::QuestionKind kind) const noexcept;
  void note_dropped_lines(std::uint64_t lines) const noexcept;
  void count_messages(std::uint64_t received, std::uint64_t sent) const noexcept;
  void count_close(std::uint16_t code) const noexcept;

 private:
  std::uint32_t place_of(std::string_view application_group) const noexcept;

  BoardTotals* totals_;
  TotalsStripe* stripe_;
  RequestRows requests_;
};

// What a place for an application group is called; empty where it has none yet.
std::string name_in(const ApplicationPlace& place);

}  // namespace pyhost::scoreboard
