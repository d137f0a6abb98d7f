// The requests that wait for a worker of a process group, oldest first.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "scoreboard/futex.h"
#include "scoreboard/scoreboard_memory.h"

namespace pyhost::scoreboard {

// The row of one httpd child.
struct ChildId {
  std::uint32_t index = 0;
};

class Waiter;

// One for all httpd children. Who frees a lease calls the request that has waited longest.
//
// While nobody has waited for long, a request that comes just then may take the lease before the
// one that was called has woken up: that saves two changes of context for each short request.
// As soon as one has waited for kOrderAfter, a lease belongs to those that wait, first come, first
// served.
//
// Lock-free, for any thread of any process; a view that is cheap to make. Whoever was killed while
// it waited delays others by a moment only, and Scoreboard::forget_child() takes it out. A worker,
// which cannot write to it, may use length() and wake_next().
class Queue {
 public:
  static constexpr std::chrono::milliseconds kOrderAfter{50};

  explicit Queue(const BoardMemory& memory) noexcept : memory_(&memory) {}

  std::uint32_t length() const noexcept { return row().waiting.load(); }
  // Whether a request that comes now has to wait behind others even if a lease is free.
  bool keeps_order() const noexcept;

  // Nothing when `room` requests wait already. `arrival` decides who is older.
  std::optional<Waiter> enter(ChildId child, std::uint32_t room, base::Clock::time_point arrival);

  // A lease is free.
  void call_next() noexcept;
  // The same from somebody who can only read: whoever is woken may not have slept yet, and so
  // sleeps on. See Waiter::wait_until().
  void wake_next() const noexcept;
  // Everything may have changed.
  void call_all() noexcept;
  // The child has ended.
  void forget(std::size_t child) noexcept;

 private:
  friend class Waiter;

  template <class Visitor>
  void for_each_in_line(Visitor visit) const noexcept;
  GroupRow& row() const noexcept { return memory_->group(); }
  Count& queued_of(std::size_t child) const noexcept { return memory_->children()[child].queued; }
  bool take_one_of(std::uint32_t room, ChildId child) const noexcept;
  WaiterCell* oldest_uncalled_or_null(std::uint64_t& arrival) const noexcept;
  void keep_order_for_now(base::Clock::time_point now) noexcept;

  const BoardMemory* memory_;
};

// One request in the queue; leaves it at its end. Used by the thread that serves the request:
//
//   while (true) {
//     waiter.listen();
//     while (waiter.may_take(<number of free leases>) && <there is one>) {
//       waiter.step_out();
//       if (<it is taken>) return;
//       waiter.step_back();  // and looks again: nobody has called it meanwhile
//     }
//     waiter.wait_until(<some time>);
//   }
class Waiter {
 public:
  Waiter(Waiter&& other) noexcept;
  Waiter& operator=(Waiter&&) = delete;
  ~Waiter();

  // From here on a call ends the next wait.
  void listen() noexcept;
  // Whether one of the free leases is this request's, if there are any.
  bool may_take(std::uint32_t free_leases) noexcept;
  // Out of the line while it tries to take a lease, and back when it has got none.
  void step_out() noexcept;
  void step_back() noexcept;
  // Aside, nobody waits for it, and it looks for a lease now and then: for a request that cannot
  // take every lease. True when that has changed, so that what it saw before may be outdated.
  bool stand_aside(bool aside) noexcept;
  // Until it is called; may end early.
  void wait_until(base::Clock::time_point moment) noexcept;

 private:
  friend class Queue;
  Waiter(Queue queue, ChildId child, WaiterCell* cell, std::uint64_t arrival) noexcept
      : queue_(queue), child_(child), cell_(cell), arrival_(arrival), aside_(cell == nullptr) {}

  std::uint32_t number_ahead() const noexcept;
  base::Clock::time_point overdue_at() const noexcept;

  Queue queue_;
  ChildId child_;
  WaiterCell* cell_;  // null when the child has none left: always aside
  std::uint64_t arrival_;
  bool in_queue_ = true;
  bool aside_;
  bool served_ = false;       // has stepped out last
  bool leaves_some_ = false;  // when it takes one, others are free, which may be somebody else's
  // Since when a lease has been free that belongs to somebody ahead.
  std::optional<base::Clock::time_point> left_free_since_;
};

}  // namespace pyhost::scoreboard
