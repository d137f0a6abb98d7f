// What httpd children, the supervisor and the workers know of each other, in shared memory.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "scoreboard/death.h"
#include "scoreboard/queue.h"
#include "scoreboard/scoreboard_memory.h"
#include "scoreboard/slot_state.h"
#include "scoreboard/tally.h"

namespace pyhost::scoreboard {

// A lease that a child holds at a worker.
struct LeaseId {
  std::uint32_t slot = 0;
  std::uint32_t count = 0;  // which of the slot's two it is in
};

struct SlotStatus {
  SlotState state = SlotState::empty;
  pid_t pid = 0;
  std::uint32_t generation = 0;
  std::uint32_t capacity = 0;  // how many requests it serves at a time
  std::uint64_t requests = 0;  // served by this generation
  // Sent to this worker by all children and not answered; not those of the worker before.
  std::uint32_t outstanding = 0;
  // What the worker itself is running. Nobody may be waiting for it any more: the client has left,
  // the limit in time is over, or the application cleans up behind its reply.
  std::uint32_t running = 0;
  // Not 0: the group is degraded. A successor of this worker, started at this moment (microseconds
  // since the epoch), could not import what the worker has imported.
  std::int64_t kept_until_us = 0;
  // There are scripts that it was asked for and could not import.
  bool lacks_scripts = false;
  // It does not take what it is sent: see Scoreboard::note_silence().
  bool silent = false;
  // What it uses; 0 until it was looked at.
  std::uint64_t resident_bytes = 0;
  std::uint64_t processor_us = 0;
  Death last_end;    // of the last worker that lived in the slot
  Death last_death;  // the last end that nobody had wanted

  // How much of its capacity is not there for another request.
  std::uint32_t busy() const noexcept { return std::max(outstanding, running); }
};

// Of one process group, for httpd's children and the supervisor. All functions are lock-free, may
// be called from any thread of any process that has mapped it, and trust the slots that they are
// given, which come from the configuration. The rows outlive every process; a child that crashed is
// taken out of the counts by forget_child(). What a worker says of itself is a ReportWriter's to
// write.
class Scoreboard {
 public:
  // The descriptors stay the caller's and are not needed afterwards. Fails when they are not the
  // scoreboard of this build.
  static base::Result<Scoreboard> map(int board, int reports);

  std::uint32_t slots() const noexcept { return slots_; }
  SlotStatus status(std::uint32_t slot) const noexcept;
  bool is_stopped() const noexcept;
  // The worker of that generation has done something. If it was silent, it is no longer, and
  // whoever waits for a worker is woken.
  void note_sign_of_life(std::uint32_t slot, std::uint32_t generation) noexcept;
  // Whether a worker is in the slot; costs less than its status.
  bool is_used(std::uint32_t slot) const noexcept;
  // Whether the worker in the slot says that it runs that script; see control::script_key(). It
  // does unless it says otherwise.
  bool serves(std::uint32_t slot, std::uint64_t script) const noexcept;
  // What is counted for ever. Its workers' part is the supervisor's to write.
  BoardTotals& totals() const noexcept { return memory_.totals(); }
  // The requests that children have, from their arrival in the module to the end of their replies.
  struct Requests {
    std::uint32_t number = 0;
    std::optional<base::TimePoint> oldest;  // when it began
  };
  Requests requests() const noexcept;
  // Each of them, the oldest first.
  std::vector<RunningRequest> running_requests() const;
  // What the supervisor says is broken.
  Troubles troubles() const { return read_troubles(memory_.troubles()); }
  // WebSockets that children have.
  std::uint32_t sockets() const noexcept;
  // Requests that wait for a worker.
  std::uint32_t waiting() const noexcept { return Queue(memory_).length(); }

  // --- The supervisor ---

  // A new worker is starting in the slot, or takes it over; its counters begin anew. What the one
  // before has still to answer takes nothing of its capacity. `report` is which of the slot's
  // reports the worker writes. It may say that its capacity is another one, up to `capacity_max`
  // (ReportWriter::set_capacity).
  void begin_generation(std::uint32_t slot, pid_t pid, std::uint32_t generation,
                        std::uint32_t capacity, std::uint32_t report = 0,
                        std::uint32_t capacity_max = 0) noexcept;
  // Wakes whoever waits for a worker of the group. A slot whose worker has died stays dead when it
  // is said to be empty.
  void set_state(std::uint32_t slot, SlotState state) noexcept;
  // The worker in the slot goes on because its successor could not start; until the next
  // generation begins. See SlotStatus::kept_until_us.
  void keep_generation(std::uint32_t slot, std::int64_t successor_started_us) noexcept;
  // What the worker with that pid uses, wherever on the board it is in that slot of the group.
  void note_usage(std::uint32_t group_slot, pid_t pid, std::uint64_t resident_bytes,
                  std::uint64_t processor_us) noexcept;
  void tell_troubles(const Troubles& troubles) noexcept {
    write_troubles(memory_.troubles(), troubles);
  }
  // An operator has stopped the group, or started it again. Wakes whoever waits for its workers.
  void stop_group() noexcept;
  void start_group() noexcept;
  // Both also set the state to dead, unless the slot stands for another worker. The end of a newer
  // worker stays recorded.
  void record_death(std::uint32_t slot, const Death& death) noexcept;
  // The worker was told to end, or has asked to, and ended as it should.
  void record_planned_end(std::uint32_t slot, const Death& end) noexcept;
  // Whether any child may still send requests. A child that has been killed is forgotten here when
  // nobody else has done so.
  bool has_children() noexcept;

  // --- httpd's parent ---

  // Takes back everything the child holds and frees its row, if it has one.
  void forget_child(pid_t pid) noexcept;
  // The requests that have begun before that moment, and that this has not given before.
  std::vector<RunningRequest> take_slow_requests(base::TimePoint began_before);

  // --- The httpd child ---

  // Nothing when every row is taken.
  std::optional<ChildId> add_child(pid_t pid) noexcept;

  // Where the child counts.
  Tally tally(ChildId child) const noexcept {
    return {memory_.totals(), memory_.requests_of(child.index), child.index};
  }

  // A lease at the worker in the slot: at most as many as its capacity, over all children.
  // Nothing when there is none left, or when all of it is taken by what nobody waits for.
  std::optional<LeaseId> take_lease(ChildId child, std::uint32_t slot) noexcept;
  // Calls the next that waits in the queue.
  void give_lease_back(ChildId child, const LeaseId& lease) noexcept;

  // The child has one WebSocket more, or less.
  void open_socket(ChildId child) noexcept { ++memory_.children()[child.index].sockets; }
  void close_socket(ChildId child) noexcept;

  // The worker of that generation does not take what this child sends it, although a thread of it
  // should be free: until somebody has a sign of life of it, all children prefer others.
  void note_silence(std::uint32_t slot, std::uint32_t generation) noexcept;
  // Where requests wait for a lease.
  Queue queue() noexcept { return Queue(memory_); }
  // How the worker of that generation ended, as soon as the supervisor has recorded it; nothing
  // when that takes longer.
  std::optional<Death> wait_for_death(std::uint32_t slot, std::uint32_t generation,
                                      std::chrono::milliseconds at_most) const noexcept;

 private:
  Scoreboard(BoardMemory memory, ReportMemory reports) noexcept;

  template <class Visit>
  void for_each_request(Visit visit) const;
  const WorkerReport* report_or_null(std::uint32_t slot) const noexcept;
  std::uint32_t capacity(std::uint32_t slot) const noexcept;
  std::uint32_t running(std::uint32_t slot) const noexcept;

  BoardMemory memory_;
  ReportMemory reports_;
  std::uint32_t slots_;
};

}  // namespace pyhost::scoreboard
