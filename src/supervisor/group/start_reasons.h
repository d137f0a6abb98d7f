// Why the next worker of each slot of a group is started. No processes, no clock.
#pragma once

#include <optional>
#include <vector>

#include "control/end_reason.h"
#include "scoreboard/death.h"
#include "scoreboard/start_reason.h"

namespace pyhost::supervisor {

using scoreboard::StartReason;

// What replaces a worker that ends for that reason.
StartReason start_reason_of(control::EndReason reason) noexcept;

// The first reason that a slot has counts until its worker is started, unless all are renewed.
class StartReasons {
 public:
  // All workers of so many slots are renewed for that. A slot that has had none yet is the group's
  // first, or one more than it had.
  void renewed(unsigned slots, StartReason reason);
  // All that were started before are to be replaced, as something that they run has changed.
  void changed();
  void note(unsigned slot, StartReason reason);
  // The worker of that slot has ended, and the slot has no other.
  void ended(unsigned slot, const scoreboard::Death& death);

  // For a worker that is started now.
  StartReason take(unsigned slot);

 private:
  std::vector<std::optional<StartReason>> slots_;
};

}  // namespace pyhost::supervisor
