// The workers that are kept beside the worker of their slot, for scripts that this one could not
// import. No processes, no descriptors, no clock of its own.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <vector>

#include "scoreboard/board_rows.h"
#include "supervisor/group/deploy_verdict.h"
#include "supervisor/group/slot_life.h"

namespace pyhost::supervisor {

// Not synchronised. Used like a SlotLife, which detaches a worker when that has become a keeper.
class Keepers {
 public:
  // How long a worker may take to become one after it was asked to.
  static constexpr base::Milliseconds kPatience{5'000};

  struct Keeper {
    unsigned slot = 0;
    unsigned place = 0;  // of scoreboard::kKeepersOfSlot
    unsigned generation = 0;
    ScriptKeys scripts;
    base::Milliseconds drain_max{0};
  };

  // Whether somebody is there, or has been asked to be.
  bool takes(unsigned slot, unsigned place) const noexcept;
  // Nothing when all are taken.
  std::optional<unsigned> free_place(unsigned slot) const noexcept;
  // Whether a worker of the slot was asked, and has not done so yet.
  bool awaits(unsigned slot) const noexcept;
  // The worker is asked to become one. PRECONDITION: the place is free.
  void ask(pid_t pid, Keeper keeper, base::TimePoint now);
  // It has done so. False when it was not asked, or has taken too long.
  bool settle(pid_t pid) noexcept;
  // It has begun to drain by itself.
  void draining(pid_t pid, base::TimePoint now) noexcept;

  // It is not needed any more, and drains.
  void end(pid_t pid) noexcept;
  void end_all() noexcept;
  // Those of the slot that are there for none of these.
  void end_needless(unsigned slot, const ScriptKeys& needed) noexcept;
  // Something when it was a keeper that had settled.
  std::optional<LastState> ended(pid_t pid) noexcept;

  struct Step {
    std::vector<Order> orders;
    std::vector<pid_t> disobedient;  // they were asked in vain, and are forgotten
  };
  Step step(base::TimePoint now);
  std::optional<base::TimePoint> next_deadline() const noexcept;

  // Null unless it has settled.
  const Keeper* find_or_null(pid_t pid) const noexcept;
  // What the worker keeps, or was asked to.
  ScriptKeys scripts_of(pid_t pid) const;
  // Whether the slot has one, also one that is still to settle or to end.
  bool any_in(unsigned slot) const noexcept;
  bool empty() const noexcept { return keepers_.empty(); }
  // What those have that have settled and are not to end.
  ScriptKeys scripts() const;
  // For each of those: visit(pid, keeper).
  template <class Visitor>
  void for_each(Visitor visit) const {
    for (const auto& [pid, entry] : keepers_) {
      if (entry.state == State::settled) visit(pid, entry.keeper);
    }
  }

 private:
  enum class State { asked, settled, leaving, draining, killed };

  struct Entry {
    Keeper keeper;
    State state = State::asked;
    base::TimePoint deadline{};  // of asked and draining
  };

  void begin_draining(Entry& entry, base::TimePoint now) const noexcept;

  std::map<pid_t, Entry> keepers_;
};

}  // namespace pyhost::supervisor
