// The shared memory behind the scoreboard of a process group: what lies where, and how it is made,
// mapped and checked.
//
// It is two files, because a worker is the application's own process and may be hostile:
//
//   the board     written by httpd's children and the supervisor, which decide by it; a worker has
//                 a descriptor of it that is good for reading only
//   the reports   written by the group's workers; whoever reads them believes nothing that could
//                 harm another group
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"
#include "pyhost/gateway/build_id.h"
#include "scoreboard/request_cell.h"
#include "scoreboard/totals_memory.h"
#include "scoreboard/troubles.h"
#include "scoreboard/word.h"

namespace pyhost::scoreboard {

// Rows start on cache lines of their own, so that processes that count do not disturb each other.
inline constexpr std::size_t kRowAlignment = 64;

// Written once, before the descriptor leaves its maker.
struct alignas(kRowAlignment) BoardHeader {
  char build[gateway::kBuildIdBytesMax + 1];  // of the maker; ends with a NUL. Never moves
  std::uint32_t children;                     // at most
  std::uint32_t waiters;                      // of one child, at most
};

struct alignas(kRowAlignment) GroupRow {
  Word<std::uint32_t> waiting;
  Word<std::uint32_t> deaths;             // of workers; a futex word
  Word<std::uint32_t> stopped;            // by an operator: not 0. Never moves
  Word<std::uint64_t> in_order_until_ns;  // since boot; see Queue
};

// What one child holds of a worker's leases, or of the queue.
using Count = Word<std::uint32_t>;

struct alignas(kRowAlignment) ChildRow {
  Word<std::int32_t> pid;  // 0 = free
  Count queued;            // its requests in the queue
  Count sockets;           // WebSockets that are open
};

// One request that waits in the queue.
struct WaiterCell {
  Word<std::uint64_t> arrival;  // 0 = free, all ones = not in line, else ns since boot
  Word<std::uint32_t> called;   // a futex word: not 0 when a lease has come free for it
};

// A slot counts the leases at two workers: the one that it stands for, and the one before, which
// may still be busy.
inline constexpr std::size_t kLeaseCounts = 2;

// The end of a worker.
struct EndRow {
  Word<std::int32_t> pid;
  Word<std::int64_t> time_us;
  Word<std::uint64_t> death;  // see pack()
};

struct alignas(kRowAlignment) SlotRow {
  Word<std::uint32_t> state;
  Word<std::int32_t> pid;
  Word<std::uint32_t> generation;
  Word<std::uint32_t> capacity;
  Word<std::uint32_t> outstanding[kLeaseCounts];
  Word<std::uint32_t> present;  // which of the counts is that of the worker in the slot
  Word<std::uint32_t> report;   // which of the reports is that of the worker in the slot
  Word<std::int64_t> kept_until_us;
  Word<std::uint32_t> silent;        // the generation that was last found to be; 0: none
  Word<std::uint32_t> capacity_max;  // that the worker may say it has
  EndRow end;                        // the last one
  EndRow death;                      // the last one that nobody had wanted
  // What the worker in the slot uses, as it was last looked at.
  Word<std::uint64_t> resident_bytes;
  Word<std::uint64_t> processor_us;
};

// How many scripts a worker can name in its report.
inline constexpr std::size_t kListedScriptsMax = 28;

// Whether a worker takes requests; see SlotState.
enum class Stance : std::uint32_t { serving, standby, draining };

// What a worker says of itself. It counts for the worker of that generation only.
struct alignas(kRowAlignment) WorkerReport {
  Word<std::uint32_t> generation;
  Word<std::uint32_t> running;   // requests
  Word<std::uint32_t> stance;    // a Stance; what is none counts as the last one
  Word<std::uint32_t> capacity;  // 0: that of the slot; otherwise up to its largest
  Word<std::uint64_t> requests;  // so far
  // It runs all scripts but the listed ones; or, when not 0, only these.
  Word<std::uint32_t> only_listed;
  Word<std::uint32_t> listed;
  Word<std::uint64_t> scripts[kListedScriptsMax];  // see control::script_key()
};

// One for the worker that the slot stands for, and one for its successor. Which of them a worker
// writes is the supervisor's choice.
inline constexpr std::size_t kReportsOfSlot = 2;

// Other processes map the same bytes: widths and offsets must not depend on the compiler's mood.
static_assert(sizeof(BoardHeader) == 64 && sizeof(GroupRow) == 64 && sizeof(SlotRow) == 128 &&
              sizeof(ChildRow) == 64 && sizeof(WorkerReport) == 256);
static_assert(offsetof(SlotRow, kept_until_us) == 32 && offsetof(SlotRow, processor_us) == 104 &&
              offsetof(WorkerReport, requests) == 16 && offsetof(WorkerReport, scripts) == 32);
static_assert(Word<std::uint32_t>::is_always_lock_free &&
              Word<std::uint64_t>::is_always_lock_free && sizeof(Count) == 4 &&
              sizeof(WaiterCell) == 16);

// The two files of a group's scoreboard, close-on-exec. Neither can be made shorter.
struct BoardFiles {
  base::UniqueFd board;
  base::UniqueFd reports;
};

struct BoardSize {
  std::uint32_t slots = 1;
  std::uint32_t children = 1;  // of httpd, at the same time
  // In the queue, of one child. More are served too, but not in order.
  std::uint32_t waiters = 1;
};

// All zeroes, which is every row's first state. Only the caller's user can open them anew.
base::Result<BoardFiles> make_board_files(const BoardSize& size);
// Makes room for so many slots, where there is less. Who has mapped the board already keeps what
// it sees. False when the reports have no room for them: the group needs another scoreboard.
base::Result<bool> grow_board(int board, int reports, std::uint32_t slots);
// A descriptor of the same board that nothing can be written through.
base::Result<base::UniqueFd> open_board_for_reading(int board);

enum class Access { read, write };

// A mapped file. Unmaps when it goes.
class Mapping {
 public:
  Mapping() noexcept = default;
  // All of the file behind a descriptor, which stays the caller's. Writing to a mapping with
  // Access::read is a crash.
  static base::Result<Mapping> of(int fd, Access access);

  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();

  char* start() const noexcept { return start_; }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  char* start_ = nullptr;
  std::size_t bytes_ = 0;
};

// The board: header, group, totals, troubles, children, then for each child its cells, those of the
// queue and as many for requests that it has, with their texts behind them all, then the slots,
// each with what every child holds of its two counts. New slots are added behind the last one.
//
// How many rows there are is read once, when it is mapped.
class BoardMemory {
 public:
  // Fails when the file is not the board of this build.
  static base::Result<BoardMemory> map(int fd, Access access);

  std::uint32_t slots() const noexcept { return slots_; }
  GroupRow& group() const noexcept { return *group_; }
  BoardTotals& totals() const noexcept { return *totals_; }
  TroubleRows& troubles() const noexcept { return *troubles_; }
  SlotRow& slot(std::uint32_t slot) const noexcept;
  std::span<ChildRow> children() const noexcept { return children_; }
  std::span<WaiterCell> cells_of(std::size_t child) const noexcept;
  RequestRows requests_of(std::size_t child) const noexcept;
  // Of leases at one of a slot's two workers.
  Count& leases_of(std::size_t child, std::uint32_t slot, std::size_t count) const noexcept;

 private:
  BoardMemory(Mapping mapping, const BoardHeader& header) noexcept;

  Mapping mapping_;
  GroupRow* group_;
  BoardTotals* totals_;
  TroubleRows* troubles_;
  std::span<ChildRow> children_;
  std::size_t cells_per_child_;
  std::span<WaiterCell> cells_;
  RequestRows requests_;
  char* first_slot_;
  std::size_t bytes_of_slot_;
  std::uint32_t slots_;
};

// The reports, two for each slot.
class ReportMemory {
 public:
  static base::Result<ReportMemory> map(int fd, Access access);

  std::uint32_t slots() const noexcept;
  WorkerReport& of(std::uint32_t slot, std::uint32_t report) const noexcept;

 private:
  explicit ReportMemory(Mapping mapping) noexcept : mapping_(std::move(mapping)) {}

  Mapping mapping_;
};

}  // namespace pyhost::scoreboard
