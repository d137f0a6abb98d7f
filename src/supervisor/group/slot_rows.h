// What the scoreboard says of a group's slots.
#pragma once

#include "supervisor/group/group_life.h"
#include "supervisor/group/group_setup.h"
#include "supervisor/group/living_workers.h"

namespace pyhost::supervisor {

// The setup and the life outlive it.
class SlotRows {
 public:
  SlotRows(const GroupSetup& setup, const GroupLife& life) noexcept : setup_(setup), life_(life) {}

  // From now on the slot stands for this worker, which happens once. While an older one still
  // serves, its successor takes the slot over when it is ready, not when it starts.
  void take_over(LivingWorker& worker) const noexcept;
  // The slot is what it is now.
  void record(unsigned slot) const noexcept;

 private:
  const GroupSetup& setup_;
  const GroupLife& life_;
};

}  // namespace pyhost::supervisor
