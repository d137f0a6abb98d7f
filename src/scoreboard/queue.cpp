#include "scoreboard/queue.h"

#include <algorithm>
#include <limits>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "scoreboard/count.h"

namespace pyhost::scoreboard {
namespace {

using std::chrono::milliseconds;

// What a cell's arrival is besides a time.
constexpr std::uint64_t kFree = 0;
constexpr std::uint64_t kNotInLine = std::numeric_limits<std::uint64_t>::max();

// Longer than anybody in the queue sleeps, so that who has to wait in order renews it in time.
constexpr milliseconds kOrderTerm{300};
// Who does not come for a lease in this time may be dead.
constexpr milliseconds kAnswerTime{10};
// How often a request aside looks for a lease.
constexpr milliseconds kAsideInterval{20};

std::uint64_t nanoseconds(base::Clock::time_point moment) noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(moment.time_since_epoch()).count());
}

WaiterCell* claim_cell_or_null(std::span<WaiterCell> cells) noexcept {
  for (WaiterCell& cell : cells) {
    std::uint64_t free = kFree;
    if (cell.arrival.load(std::memory_order_relaxed) == kFree &&
        cell.arrival.compare_exchange_strong(free, kNotInLine)) {
      return &cell;
    }
  }
  return nullptr;
}

}  // namespace

// A child's cells are taken from the front, so that counting those seen ends the walk early.
template <class Visitor>
void Queue::for_each_in_line(Visitor visit) const noexcept {
  for (std::size_t child = 0; child < memory_->children().size(); ++child) {
    std::uint32_t left = queued_of(child).load();
    for (WaiterCell& cell : memory_->cells_of(child)) {
      if (left == 0) break;
      const std::uint64_t arrival = cell.arrival.load();
      if (arrival == kFree || arrival == kNotInLine) continue;
      --left;
      visit(cell, arrival);
    }
  }
}

bool Queue::keeps_order() const noexcept {
  return length() != 0 && nanoseconds(base::Clock::now()) < row().in_order_until_ns.load();
}

void Queue::keep_order_for_now(base::Clock::time_point now) noexcept {
  row().in_order_until_ns = nanoseconds(now + kOrderTerm);
}

bool Queue::take_one_of(std::uint32_t room, ChildId child) const noexcept {
  return take_one(queued_of(child.index), row().waiting, room);
}

std::optional<Waiter> Queue::enter(ChildId child, std::uint32_t room,
                                   base::Clock::time_point arrival) {
  // From here on whoever frees a lease sees that somebody waits, and this request every lease that
  // was freed before.
  if (!take_one_of(room, child)) return std::nullopt;
  const std::uint64_t arrived = nanoseconds(arrival);
  WaiterCell* cell = claim_cell_or_null(memory_->cells_of(child.index));
  if (cell != nullptr) {
    // The arrival last: it puts the cell in line.
    cell->called = 0;
    cell->arrival = arrived;
  }
  return Waiter(*this, child, cell, arrived);
}

WaiterCell* Queue::oldest_uncalled_or_null(std::uint64_t& arrival) const noexcept {
  WaiterCell* oldest = nullptr;
  for_each_in_line([&](WaiterCell& cell, std::uint64_t arrived) {
    if (cell.called.load() != 0 || (oldest != nullptr && arrived >= arrival)) return;
    oldest = &cell;
    arrival = arrived;
  });
  return oldest;
}

// The system call costs more than the rest of a release, so it is left out when nobody waits.
void Queue::call_next() noexcept {
  while (length() != 0) {
    std::uint64_t arrival = 0;
    WaiterCell* oldest = oldest_uncalled_or_null(arrival);
    if (oldest == nullptr) return;
    std::uint32_t not_called = 0;
    if (!oldest->called.compare_exchange_strong(not_called, 1)) continue;
    // It may have left in between without having seen the call.
    if (oldest->arrival.load() != arrival) continue;
    wake_sleepers(oldest->called, 1);
    return;
  }
}

void Queue::wake_next() const noexcept {
  std::uint64_t arrival = 0;
  if (length() == 0) return;
  if (WaiterCell* oldest = oldest_uncalled_or_null(arrival)) wake_sleepers(oldest->called, 1);
}

void Queue::call_all() noexcept {
  for_each_in_line([](WaiterCell& cell, std::uint64_t) {
    cell.called = 1;
    wake_sleepers(cell.called, 1);
  });
}

void Queue::forget(std::size_t child) noexcept {
  subtract(row().waiting, queued_of(child).exchange(0));
}

Waiter::Waiter(Waiter&& other) noexcept
    : queue_(other.queue_),
      child_(other.child_),
      cell_(other.cell_),
      arrival_(other.arrival_),
      in_queue_(std::exchange(other.in_queue_, false)),
      aside_(other.aside_),
      served_(other.served_),
      leaves_some_(other.leaves_some_),
      left_free_since_(other.left_free_since_) {}

Waiter::~Waiter() {
  if (!in_queue_) return;
  bool called_in_vain = !served_;
  if (cell_ != nullptr) {
    cell_->arrival = kNotInLine;
    if (cell_->called.exchange(0) != 0) called_in_vain = true;
    cell_->arrival = kFree;
  }
  give_one_back(queue_.queued_of(child_.index), queue_.row().waiting);
  // Whoever was called for one of the others may have left it to this one, which was ahead.
  if (called_in_vain || leaves_some_) queue_.call_next();
}

void Waiter::listen() noexcept {
  if (cell_ != nullptr) cell_->called = 0;
}

void Waiter::step_out() noexcept {
  if (!aside_) cell_->arrival = kNotInLine;
  served_ = true;
}

void Waiter::step_back() noexcept {
  if (!aside_) cell_->arrival = arrival_;
  served_ = false;
}

bool Waiter::stand_aside(bool aside) noexcept {
  if (aside == aside_ || cell_ == nullptr) return false;
  aside_ = aside;
  cell_->arrival = aside ? kNotInLine : arrival_;
  // The lease that it has been called for may be one that it cannot take.
  if (aside) queue_.call_next();
  return true;
}

std::uint32_t Waiter::number_ahead() const noexcept {
  std::uint32_t ahead = 0;
  queue_.for_each_in_line([&](const WaiterCell& cell, std::uint64_t arrival) {
    if (arrival < arrival_ || (arrival == arrival_ && &cell < cell_)) ++ahead;
  });
  return ahead;
}

bool Waiter::may_take(std::uint32_t free_leases) noexcept {
  if (aside_) return true;
  const base::Clock::time_point now = base::Clock::now();
  if (now >= overdue_at()) queue_.keep_order_for_now(now);
  if (free_leases == 0) {
    left_free_since_.reset();
    return false;
  }
  const bool in_order = queue_.keeps_order();
  leaves_some_ = in_order && free_leases > 1;
  if (!in_order || number_ahead() < free_leases) return true;
  if (!left_free_since_) left_free_since_ = now;
  return now >= *left_free_since_ + kAnswerTime;
}

base::Clock::time_point Waiter::overdue_at() const noexcept {
  return base::Clock::time_point(std::chrono::nanoseconds(arrival_)) + Queue::kOrderAfter;
}

void Waiter::wait_until(base::Clock::time_point moment) noexcept {
  const base::Clock::time_point now = base::Clock::now();
  if (aside_) moment = std::min(moment, now + kAsideInterval);
  if (now < overdue_at()) moment = std::min(moment, overdue_at());
  if (left_free_since_) moment = std::min(moment, *left_free_since_ + kAnswerTime);
  if (cell_ != nullptr) {
    sleep_on(cell_->called, 0, moment);
  } else {
    std::this_thread::sleep_until(moment);
  }
}

}  // namespace pyhost::scoreboard
