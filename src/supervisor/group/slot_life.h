// The life of one slot: when its workers are started, told to end and killed. No processes, no
// descriptors, no clock of its own.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "scoreboard/slot_state.h"

namespace pyhost::supervisor {

// After a failed start the next one waits this long; each further failure doubles it, up to the
// longest. A worker that has been ready for kStableTime makes the count start anew.
inline constexpr base::Milliseconds kShortestBackOff{1'000};
inline constexpr base::Milliseconds kLongestBackOff{30'000};
inline constexpr base::Milliseconds kStableTime{10'000};
// A worker that dies this soon after it was ready is replaced after a pause, so that an application
// that always crashes does not keep a processor busy with starts; any other is replaced at once.
inline constexpr base::Milliseconds kEarlyDeath{1'000};
inline constexpr base::Milliseconds kEarlyDeathPause{100};
// How long a worker that has reported its failure may take to leave.
inline constexpr base::Milliseconds kFarewell{1'000};

struct LifeLimits {
  base::Milliseconds startup_max{0};  // from the start to ready; 0: no limit
  base::Milliseconds drain_max{0};    // from SIGTERM to the end, before SIGKILL
};

using scoreboard::SlotState;

// What the slot intends with a worker.
enum class Standing {
  current,   // that it goes on
  outdated,  // that it goes when its successor is ready; it may be put back
  relieved,  // the same, and that it goes without one that cannot start
  released,  // that it goes before its successor is there
};

// Why the supervisor has killed a worker.
enum class KillReason { none, startup_timeout, drain_timeout, startup_failed };

// What is to be done now. `pid` is the worker's; a spawn has none yet.
struct Order {
  enum class Kind { spawn, terminate, kill };
  Kind kind;
  pid_t pid = 0;
  unsigned generation = 0;

  bool operator==(const Order&) const = default;
};

// How a worker stood when it ended.
struct LastState {
  SlotState state;
  KillReason killed;
  unsigned generation;
};

// Whether a worker that stands by may be put back when its successor cannot start.
enum class Fallback { off, on };

// What could not start, so that the worker before comes back.
enum class Failed {
  change,   // something new; the next start waits for its time
  attempt,  // the same once more; that says nothing of a start for another reason
};

// Whether a slot may have a second worker to replace one that still serves.
enum class Renewal { denied, allowed };

// Not synchronised. Every function takes the present time; it may jump ahead by any amount.
//
// Whoever owns it calls step() after every event and at next_deadline(), carries the orders out,
// and reports each spawn with spawned() or spawn_failed() before the next step.
class SlotLife {
 public:
  explicit SlotLife(LifeLimits limits) : limits_(limits) {}

  // --- What is wanted ---

  // The slot is wanted, with these limits; what runs in it now is out of date and is replaced: the
  // new worker is ready first, then the old one drains. One that is not ready yet just ends.
  void renew(LifeLimits limits) noexcept;
  // The slot is not wanted any more: its workers drain.
  void remove() noexcept { wanted_ = succeeds_released_ = false; }
  // What workers run has changed, or another worker may do better: those that were started before
  // are out of date, and nothing that has kept a successor from starting need do so now.
  void outdate(base::TimePoint changed_at) noexcept;
  // The worker is to be replaced: like one that is out of date, it serves until its successor is
  // ready. If that cannot start, it drains anyway after drain_max.
  void relieve(pid_t pid) noexcept;
  // What this worker runs has changed: it takes no requests until it is put back. With
  // Fallback::off that does not happen, and the worker is relieved.
  void stand_by(pid_t pid, Fallback fallback, base::TimePoint changed_at) noexcept;
  // Puts the worker that is out of date back: it is not replaced. False when there is none, or when
  // its successor is ready.
  bool come_back(Failed failed = Failed::change) noexcept;
  // What a worker runs that was started then is known to work: one that stands by for a change
  // before need not be put back, so it drains. Its successor is one that replaces it. Whether there
  // was such a worker.
  bool release(base::TimePoint works_since) noexcept;
  // A worker that serves or stands by is not the slot's any more: it is kept for what its
  // successor, which is about to take over, could not import; see Keepers. False when it does
  // neither.
  bool detach(pid_t pid) noexcept;

  // --- What has happened ---

  void spawned(pid_t pid, base::TimePoint now);
  void spawn_failed(base::TimePoint now) noexcept;
  void ready(pid_t pid, base::TimePoint now) noexcept;
  // The worker has said that it cannot start; its end follows.
  void failed(pid_t pid, base::TimePoint now) noexcept;
  // The worker has begun to drain by itself; it may take as long as one that was told to.
  void draining(pid_t pid, base::TimePoint now) noexcept;
  // PRECONDITION: spawned, and not ended before.
  LastState ended(pid_t pid, base::TimePoint now) noexcept;

  std::vector<Order> step(base::TimePoint now, Renewal renewal);

  // When step() has something to do although no event has come.
  std::optional<base::TimePoint> next_deadline() const noexcept;

  // Whether step() would use Renewal::allowed now: if so, since when the worker runs that is to be
  // replaced.
  std::optional<base::TimePoint> awaits_renewal(base::TimePoint now) const noexcept;
  SlotState state() const noexcept;
  // Whether it is served by a worker that is not out of date.
  bool up_to_date() const noexcept;
  // When the worker was started that serves and is not out of date; nothing when none does.
  std::optional<base::TimePoint> current_since() const noexcept;
  // Whether everything that serves here from now on, or will, was started then or later.
  bool renewed_since(base::TimePoint moment) const noexcept;
  // Whether it has a worker that stands by and may be put back.
  bool may_come_back() const noexcept;
  // The newest worker that serves or stands by; nothing when none does.
  std::optional<pid_t> serving() const noexcept;
  // Whether the worker before was released or detached, and its successor is not ready yet.
  bool succeeds_released() const noexcept { return succeeds_released_; }
  bool has_worker() const noexcept { return !workers_.empty(); }
  // Workers beyond the first.
  unsigned extra_workers() const noexcept { return workers_.size() > 1 ? workers_.size() - 1 : 0; }
  bool gone() const noexcept { return !wanted_ && workers_.empty(); }
  // The pause before the start after the next failure.
  base::Milliseconds back_off() const noexcept;
  unsigned generation() const noexcept { return generation_; }
  // The next generation comes behind this one, which another supervisor has started.
  void begin_behind(unsigned generation) noexcept {
    generation_ = std::max(generation_, generation);
  }

 private:
  // Standings that there are: of a worker that is starting, current and outdated; of one that is
  // ready, these and relieved; on standby, outdated, relieved and, for the rest of a step,
  // released. One that drains keeps the last it had.
  struct Worker {
    pid_t pid;
    unsigned generation;
    base::TimePoint started;
    SlotState state = SlotState::starting;  // or ready, standby, draining
    Standing standing = Standing::current;
    base::TimePoint since = started;            // when it began to start, to be ready or to drain
    base::TimePoint changed_at{};               // on standby: what it runs
    std::optional<base::TimePoint> kill_at{};   // none: no limit, or killed already
    KillReason kill_reason = KillReason::none;  // what kill_at, once it has passed, means
    bool killed = false;
    std::optional<base::TimePoint> drain_at{};  // relieved: without a successor

    // Whether it is ready, be it on standby.
    bool is_up() const noexcept { return state == SlotState::ready || state == SlotState::standby; }
    bool is_current() const noexcept {
      return state == SlotState::ready && standing == Standing::current;
    }
    void outdate() noexcept {
      if (standing == Standing::current) standing = Standing::outdated;
    }
  };

  Worker* find(pid_t pid) noexcept;
  Worker* find_up(pid_t pid) noexcept;
  Worker* find_starting(pid_t pid) noexcept;
  const Worker* to_be_replaced_or_null() const noexcept;
  bool has(SlotState state) const noexcept;
  bool wants_spawn(base::TimePoint now) const noexcept;
  void note_stability(base::TimePoint now) noexcept;
  void note_failure(base::TimePoint now) noexcept;
  void forget_failures() noexcept;
  void begin_draining(Worker& worker, base::TimePoint now) const noexcept;
  void kill_overdue(base::TimePoint now, std::vector<Order>& orders) noexcept;
  void terminate_superseded(base::TimePoint now, std::vector<Order>& orders);

  LifeLimits limits_;
  std::vector<Worker> workers_;   // oldest first
  base::TimePoint not_before_{};  // of the next start
  unsigned failures_ = 0;         // in a row
  unsigned generation_ = 0;
  bool wanted_ = true;
  bool succeeds_released_ = false;
};

}  // namespace pyhost::supervisor
