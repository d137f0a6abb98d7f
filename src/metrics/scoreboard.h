// What httpd children, the supervisor and the workers know of each other, in shared memory.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "metrics/queue.h"
#include "metrics/scoreboard_memory.h"

namespace pyhost::metrics {

enum class SlotState : std::uint32_t { empty, starting, ready, draining, dead };

// "ready".
std::string_view name_of(SlotState state) noexcept;

enum class DeathCause : std::uint8_t {
  none,
  exited,         // detail: the exit code
  signal,         // detail: the signal's number
  out_of_memory,  // killed by the kernel; detail 0
  timeout,        // ended by the supervisor; detail: a TimeoutKind
};

enum class TimeoutKind : std::uint16_t { startup, request, deadlock, inactivity, shutdown };

// The end of the last worker that lived in a slot.
struct Death {
  DeathCause cause = DeathCause::none;
  std::uint16_t detail = 0;
  std::uint32_t generation = 0;
  pid_t pid = 0;
  std::int64_t time_us = 0;  // since the epoch
};

// "was killed by signal 11 (SIGSEGV)", "exited with code 3".
std::string describe(const Death& death);

struct SlotId {
  std::uint32_t group = 0;
  std::uint32_t slot = 0;
};

// A place that a child holds at a worker.
struct PlaceId {
  SlotId slot;
  std::uint32_t count = 0;  // which of the slot's two it is in
};

struct SlotStatus {
  SlotState state = SlotState::empty;
  pid_t pid = 0;
  std::uint32_t generation = 0;
  std::uint32_t threads = 0;
  std::uint64_t requests = 0;  // served by this generation
  // Sent to this worker by all children and not answered; not those of the worker before.
  std::uint32_t outstanding = 0;
  // What the worker itself is running. Nobody may be waiting for it any more: the client has left,
  // the limit in time is over, or the application cleans up behind its reply.
  std::uint32_t running = 0;
  // Not 0: the group is degraded. A successor of this worker, started at this moment (microseconds
  // since the epoch), could not import what the worker has imported.
  std::int64_t kept_until_us = 0;
  Death last_death;

  // Its threads that are not there for another request.
  std::uint32_t busy() const noexcept { return std::max(outstanding, running); }
};

// All functions are lock-free, may be called from any thread of any process that has mapped the
// board, and trust their indexes, which come from the configuration. The rows outlive every
// process; a child that crashed is taken out of the counts by forget_child().
class Scoreboard {
 public:
  // One number of slots per group. More waiters in one child than said are served too, but not in
  // order. The descriptor is close-on-exec.
  static base::Result<Scoreboard> create(std::span<const std::uint32_t> slots_of_group,
                                         std::uint32_t children_max,
                                         std::uint32_t waiters_of_child);
  // Fails when the memory is not a scoreboard of this build.
  static base::Result<Scoreboard> map(base::UniqueFd fd);

  // To be inherited or sent; stays the scoreboard's.
  int fd() const noexcept { return memory_.fd(); }
  std::uint32_t groups() const noexcept;
  std::uint32_t slots(std::uint32_t group) const noexcept;
  SlotStatus status(SlotId id) const noexcept;
  bool is_stopped(std::uint32_t group) const noexcept;

  // --- The supervisor ---

  // A new worker is starting in the slot, or takes it over; its counters begin anew. What the one
  // before has still to answer takes none of its places.
  void begin_generation(SlotId id, pid_t pid, std::uint32_t generation,
                        std::uint32_t threads) noexcept;
  // Wakes whoever waits for a worker of the group.
  void set_state(SlotId id, SlotState state) noexcept;
  // The worker in the slot goes on because its successor could not start; until the next
  // generation begins. See SlotStatus::kept_until_us.
  void keep_generation(SlotId id, std::int64_t successor_started_us) noexcept;
  // An operator has stopped the group, or started it again. Wakes whoever waits for its workers.
  void stop_group(std::uint32_t group) noexcept;
  void start_group(std::uint32_t group) noexcept;
  // Also sets the state to dead, unless the slot stands for another worker. The end of a newer
  // worker stays recorded.
  void record_death(SlotId id, const Death& death) noexcept;
  // Takes back everything the child holds and frees its seat, if it has one.
  void forget_child(pid_t pid) noexcept;

  // --- The worker ---

  void count_request(SlotId id) noexcept;
  // How many requests the worker with that pid is running, each time that changes and in order.
  // Calls the next that waits in the group's queue when it is the worker that makes room, not a
  // child that gives its place back. Ignored when the slot stands for another worker already.
  void note_running(SlotId id, pid_t pid, std::uint32_t requests) noexcept;
  // From ready to draining, on the decision of the worker with that pid. False in any other state,
  // or when the slot stands for another worker already.
  bool begin_draining(SlotId id, pid_t pid) noexcept;

  // --- The httpd child ---

  // Nothing when every seat is taken.
  std::optional<ChildSeat> take_seat(pid_t pid) noexcept;

  // A place at the worker in the slot: at most one for each of its threads, over all children.
  // Nothing when there is none left, or when all threads are busy with what nobody waits for.
  std::optional<PlaceId> take_place(ChildSeat seat, SlotId id) noexcept;
  // Calls the next that waits in the group's queue.
  void give_place_back(ChildSeat seat, const PlaceId& place) noexcept;

  // Where requests wait for a place.
  Queue queue(std::uint32_t group) const noexcept { return {memory_, group}; }
  // How the worker of that generation ended, as soon as the supervisor has recorded it; nothing
  // when that takes longer.
  std::optional<Death> wait_for_death(SlotId id, std::uint32_t generation,
                                      std::chrono::milliseconds at_most) const noexcept;

 private:
  explicit Scoreboard(ScoreboardMemory memory) noexcept : memory_(std::move(memory)) {}

  std::uint32_t index_of(SlotId id) const noexcept;
  SlotRow& row(SlotId id) const noexcept;
  Holding& holding_of(ChildSeat seat, const PlaceId& place) const noexcept;

  ScoreboardMemory memory_;
};

}  // namespace pyhost::metrics
