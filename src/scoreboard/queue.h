// The requests that wait for a worker of a process group, oldest first.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "scoreboard/futex.h"
#include "scoreboard/scoreboard_memory.h"

namespace pyhost::metrics {

// The row of one httpd child.
struct ChildSeat {
  std::uint32_t index = 0;
};

class Waiter;

// One for all httpd children. Who frees a place calls the request that has waited longest.
//
// While nobody has waited for long, a request that comes just then may take the place before the
// one that was called has woken up: that saves two changes of context for each short request.
// As soon as one has waited for kOrderAfter, a place belongs to those that wait, first come, first
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
  // Whether a request that comes now has to wait behind others even if a place is free.
  bool keeps_order() const noexcept;

  // Nothing when `places` requests wait already. `arrival` decides who is older.
  std::optional<Waiter> enter(ChildSeat seat, std::uint32_t places, Clock::time_point arrival);

  // A place is free.
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
  Holding& places_of(std::size_t child) const noexcept { return memory_->children()[child].queued; }
  bool take_one_of(std::uint32_t places, ChildSeat seat) const noexcept;
  WaiterCell* oldest_uncalled_or_null(std::uint64_t& arrival) const noexcept;
  void keep_order_for_now(Clock::time_point now) noexcept;

  const BoardMemory* memory_;
};

// One request in the queue; leaves it at its end. Used by the thread that serves the request:
//
//   while (true) {
//     waiter.listen();
//     if (waiter.may_take(<number of free places>) && <there is one>) {
//       waiter.step_out();
//       if (<it is taken>) break;
//       waiter.step_back();
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
  // Whether one of the free places is this request's, if there are any.
  bool may_take(std::uint32_t free_places) noexcept;
  // Out of the line while it tries to take a place, and back when it has got none.
  void step_out() noexcept;
  void step_back() noexcept;
  // Aside, nobody waits for it, and it looks for a place now and then: for a request that cannot
  // take every place. True when that has changed, so that what it saw before may be outdated.
  bool stand_aside(bool aside) noexcept;
  // Until it is called; may end early.
  void wait_until(Clock::time_point moment) noexcept;

 private:
  friend class Queue;
  Waiter(Queue queue, ChildSeat seat, WaiterCell* cell, std::uint64_t arrival) noexcept
      : queue_(queue), seat_(seat), cell_(cell), arrival_(arrival), aside_(cell == nullptr) {}

  std::uint32_t number_ahead() const noexcept;
  Clock::time_point overdue_at() const noexcept;

  Queue queue_;
  ChildSeat seat_;
  WaiterCell* cell_;  // null when the child has none left: always aside
  std::uint64_t arrival_;
  bool in_queue_ = true;
  bool aside_;
  bool served_ = false;  // has stepped out last
  // Since when a place has been free that belongs to somebody ahead.
  std::optional<Clock::time_point> left_free_since_;
};

}  // namespace pyhost::metrics
