// What a worker says of itself on its group's scoreboard, and what it may know of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "scoreboard/queue.h"
#include "scoreboard/scoreboard_memory.h"

namespace pyhost::scoreboard {

// The worker of one generation in one slot. It writes its own report and nothing else: the board is
// not its to write to. Any thread of the process may call everything; note_running(), lack() and
// move_to() one thread at a time each.
class ReportWriter {
 public:
  // The descriptors stay the caller's and are not needed afterwards. Fails when the scoreboard has
  // no such slot or is that of another build.
  static base::Result<ReportWriter> take(int board, int reports, std::uint32_t slot,
                                         std::uint32_t generation, std::uint32_t report);
  ReportWriter(ReportWriter&& other) noexcept;

  void count_request() noexcept;
  // How many requests are running, each time that changes and in order. Calls the next that waits
  // in the group's queue when it is the worker that makes room, not a child that gives its lease
  // back.
  void note_running(std::uint32_t requests) noexcept;

  // How many requests the worker takes at a time, where its slot lets it choose; 0 is what the slot
  // says.
  void set_capacity(std::uint32_t requests) noexcept;

  // Takes no requests until it comes back. False when it takes none anyway: the slot stands for
  // another worker, this one was told to end, or it stands by already.
  bool stand_by() noexcept;
  // Does nothing when it does not stand by.
  void come_back() noexcept;
  // Takes no more requests: it is about to end.
  void drain() noexcept;

  // It cannot run that script: whoever has a request for it asks another worker first. Not more
  // than kListedScriptsMax are made known.
  void lack(std::uint64_t script) noexcept;
  // It is in that slot from now on, which stands for it already, and runs these scripts only, at
  // most kListedScriptsMax. In the slot of before it stands by. What is running has to be noted
  // again. False when the scoreboard has no such slot.
  bool move_to(std::uint32_t slot, std::uint32_t report,
               std::span<const std::uint64_t> scripts) noexcept;

  // Whether the slot stands for a later worker.
  bool is_succeeded() const noexcept;
  // See SlotStatus::kept_until_us.
  std::int64_t kept_until_us() const noexcept;

 private:
  // Where it sits; one word, because threads look at it while it moves.
  struct alignas(8) Position {
    std::uint32_t slot;
    std::uint32_t report;
  };

  ReportWriter(BoardMemory memory, ReportMemory reports, Position position,
               std::uint32_t generation) noexcept;

  bool has_slot() const noexcept { return row().generation == generation_; }
  // Null when another worker of the slot has taken it, as this one is not needed any more.
  WorkerReport* report_or_null() const noexcept;
  const SlotRow& row() const noexcept { return memory_.slot(position_.load().slot); }
  WorkerReport& report_at(Position position) const noexcept {
    return reports_.of(position.slot, position.report);
  }

  BoardMemory memory_;
  ReportMemory reports_;
  std::atomic<Position> position_;
  std::uint32_t generation_;
};

}  // namespace pyhost::scoreboard
