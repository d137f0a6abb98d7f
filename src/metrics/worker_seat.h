// What a worker says of itself on its group's scoreboard, and what it may know of it.
#pragma once

#include "metrics/queue.h"
#include "metrics/scoreboard_memory.h"

namespace pyhost::metrics {

// The worker of one generation in one slot. It writes its own report and nothing else: the board is
// not its to write to. Any thread of the process may call everything; note_running() one at a time.
class WorkerSeat {
 public:
  // The descriptors stay the caller's and are not needed afterwards. Fails when the scoreboard has
  // no such slot or is that of another build.
  static base::Result<WorkerSeat> take(int board, int reports, std::uint32_t slot,
                                       std::uint32_t generation, std::uint32_t report);

  void count_request() noexcept;
  // How many requests are running, each time that changes and in order. Calls the next that waits
  // in the group's queue when it is the worker that makes room, not a child that gives its place
  // back.
  void note_running(std::uint32_t requests) noexcept;

  // Takes no more requests from now on. False when it takes none anyway: the slot stands for
  // another worker, this one was told to end, or it has withdrawn already.
  bool withdraw() noexcept;
  void come_back() noexcept;

  // Whether the slot stands for a later worker.
  bool is_succeeded() const noexcept;
  // See SlotStatus::kept_until_us.
  std::int64_t kept_until_us() const noexcept;

 private:
  WorkerSeat(BoardMemory memory, ReportMemory reports, std::uint32_t slot, std::uint32_t generation,
             std::uint32_t report) noexcept;

  bool has_slot() const noexcept { return row().generation == generation_; }
  // Null when another worker of the slot has taken it, as this one is not needed any more.
  WorkerReport* report_or_null() const noexcept;
  const SlotRow& row() const noexcept { return memory_.slot(slot_); }

  BoardMemory memory_;
  ReportMemory reports_;
  std::uint32_t slot_;
  std::uint32_t generation_;
  WorkerReport* report_;
};

}  // namespace pyhost::metrics
