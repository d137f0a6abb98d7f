// The life of a process group: its slots, and how they are renewed one after the other.
#pragma once

#include <vector>

#include "supervisor/group/slot_life.h"

namespace pyhost::supervisor {

// An order for one of the group's slots.
struct SlotOrder {
  unsigned slot;
  Order order;

  bool operator==(const SlotOrder&) const = default;
};

// Whether workers that stand by may go before their successors are there.
enum class Releases { denied, allowed };

// Used like a SlotLife. Renewal is rolling: of n slots at most max(1, n / 4) have a second worker
// at a time, the slot first whose worker is the oldest: so a renewal that comes before the last one
// is through goes on where that was. Slots without a worker that serves are not held back by that.
//
// A worker that stands by is there for the case that its successor cannot start, but only until
// another slot has shown that what has changed works: then it is released, in up to half of the
// slots at a time.
class GroupLife {
 public:
  GroupLife(unsigned slots, LifeLimits limits);

  // The group is wanted with this many slots; every worker in it is out of date. Slots beyond them
  // drain and go.
  void renew(unsigned slots, LifeLimits limits);
  // What the group runs has changed, as a worker of that slot has found: see SlotLife::stand_by().
  // All its workers from before are out of date.
  void roll(unsigned slot, pid_t pid, Fallback fallback, base::TimePoint changed_at) noexcept;
  // The group is not wanted any more: all its workers drain.
  void remove() noexcept;
  // All its workers drain, but its slots stay until renew().
  void stop() noexcept;

  // Slots that are wanted or still have workers. A number below it stays valid until step().
  unsigned slots() const noexcept { return slots_.size(); }
  SlotLife& slot(unsigned index) noexcept { return slots_[index]; }
  const SlotLife& slot(unsigned index) const noexcept { return slots_[index]; }

  // Orders for all slots. Slots that are gone are forgotten, from the end.
  std::vector<SlotOrder> step(base::TimePoint now, Releases releases = Releases::allowed);
  std::optional<base::TimePoint> next_deadline() const noexcept;
  bool gone() const noexcept;
  // Whether each wanted slot is served by a worker that is not out of date.
  bool up_to_date() const noexcept;
  // See SlotLife::renewed_since(), of each wanted slot.
  bool renewed_since(base::TimePoint moment) const noexcept;
  // Whether any slot has a worker that takes requests.
  bool serves() const noexcept;
  // Whether no slot has a worker.
  bool empty() const noexcept;

 private:
  void release();
  std::vector<Renewal> renewals(base::TimePoint now) const;

  std::vector<SlotLife> slots_;
  unsigned wanted_;
};

}  // namespace pyhost::supervisor
