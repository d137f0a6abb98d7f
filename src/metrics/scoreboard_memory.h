// The shared memory behind a scoreboard: what lies where, and how it is made, mapped and checked.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::metrics {

// Rows start on cache lines of their own, so that processes that count do not disturb each other.
inline constexpr std::size_t kRowAlignment = 64;

// Written once, before the descriptor leaves its maker.
struct alignas(kRowAlignment) BoardHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t groups;
  std::uint32_t slots;     // of all groups
  std::uint32_t children;  // at most
  std::uint32_t waiters;   // of one child, at most
  std::uint64_t total_bytes;
};

struct alignas(kRowAlignment) GroupRow {
  std::uint32_t first_slot;  // these two are written once, and only read to map the board
  std::uint32_t slots;
  std::atomic<std::uint32_t> waiting;
  std::atomic<std::uint32_t> deaths;             // of workers; a futex word
  std::atomic<std::uint32_t> stopped;            // by an operator: not 0
  std::atomic<std::uint64_t> in_order_until_ns;  // since boot; see Queue
};

// A slot counts the places at two workers: the one that it stands for, and the one before, which
// may still be busy.
inline constexpr std::size_t kPlaceCounts = 2;

struct alignas(kRowAlignment) SlotRow {
  std::atomic<std::uint32_t> state;
  std::atomic<std::int32_t> pid;
  std::atomic<std::uint32_t> generation;
  std::atomic<std::uint32_t> threads;
  std::atomic<std::uint32_t> outstanding[kPlaceCounts];
  std::atomic<std::uint32_t> present;  // which of the counts is that of the worker in the slot
  std::atomic<std::int32_t> death_pid;
  std::atomic<std::int64_t> death_time_us;
  std::atomic<std::uint64_t> death;  // generation, cause and detail in one word
  std::atomic<std::int64_t> kept_until_us;
  // Written by the worker, on a cache line of their own.
  alignas(kRowAlignment) std::atomic<std::uint64_t> requests;
  std::atomic<std::uint64_t> running;  // the worker's pid, and how many requests it is running
};

struct alignas(kRowAlignment) ChildRow {
  std::atomic<std::int32_t> pid;  // 0 = free
};

// Where the slots of a group lie among those of all groups.
struct SlotRange {
  std::uint32_t first;
  std::uint32_t count;
};

// One request that waits in a queue.
struct WaiterCell {
  std::atomic<std::uint64_t> arrival;  // 0 = free, all ones = not in line, else ns since boot
  std::atomic<std::uint32_t> group;
  std::atomic<std::uint32_t> called;  // a futex word: not 0 when a place has come free for it
};

// What one child holds of a worker's places, or of one group's queue.
using Holding = std::atomic<std::uint32_t>;

// Other processes map the same bytes: widths and places must not depend on the compiler's mood.
static_assert(sizeof(BoardHeader) == 64 && sizeof(GroupRow) == 64 && sizeof(SlotRow) == 128 &&
              sizeof(ChildRow) == 64);
static_assert(offsetof(SlotRow, kept_until_us) == 48 && offsetof(SlotRow, running) == 72);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free &&
              std::atomic<std::uint64_t>::is_always_lock_free && sizeof(Holding) == 4 &&
              sizeof(WaiterCell) == 16);

// Header, groups, slots, children, then for each child its cells, then for each child its holdings:
// two for each slot, then one for each group. Unmaps when it goes.
//
// Applications run where this is mapped and can write to all of it, while the supervisor may be
// root. So nothing that lies in it is used as an index or a size after it was mapped, and its size
// cannot be changed.
class ScoreboardMemory {
 public:
  static base::Result<ScoreboardMemory> create(std::span<const std::uint32_t> slots_of_group,
                                               std::uint32_t children_max,
                                               std::uint32_t waiters_of_child);
  static base::Result<ScoreboardMemory> map(base::UniqueFd fd);

  ScoreboardMemory(ScoreboardMemory&& other) noexcept;
  ScoreboardMemory& operator=(ScoreboardMemory&&) = delete;
  ~ScoreboardMemory();

  int fd() const noexcept { return fd_.get(); }
  SlotRange slots_of(std::size_t group) const noexcept { return ranges_[group]; }
  std::span<GroupRow> groups() const noexcept { return groups_; }
  std::span<SlotRow> slots() const noexcept { return slots_; }
  std::span<ChildRow> children() const noexcept { return children_; }
  std::span<WaiterCell> cells_of(std::size_t child) const noexcept;
  // Of places at one of a slot's two workers.
  Holding& places_of(std::size_t child, std::size_t slot, std::size_t count) const noexcept;
  // In the queue of a group.
  Holding& queued_of(std::size_t child, std::size_t group) const noexcept;

 private:
  ScoreboardMemory(base::UniqueFd fd, char* start, const BoardHeader& header) noexcept;

  void read_ranges();
  std::span<Holding> holdings_of(std::size_t child) const noexcept;

  base::UniqueFd fd_;
  char* start_ = nullptr;
  std::size_t total_bytes_ = 0;
  std::vector<SlotRange> ranges_;
  std::span<GroupRow> groups_;
  std::span<SlotRow> slots_;
  std::span<ChildRow> children_;
  std::size_t cells_per_child_ = 0;
  std::span<WaiterCell> cells_;
  std::span<Holding> holdings_;
};

}  // namespace pyhost::metrics
