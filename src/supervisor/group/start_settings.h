// What a worker is told when it is started.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/worker_settings.h"
#include "supervisor/group/group_setup.h"

namespace pyhost::supervisor {

// What a worker imports before it is ready.
struct StartImports {
  std::vector<control::Preload> scripts;
  bool required = false;  // it is to ask whether it may serve when one fails
};

// The place of a worker that is to be started.
struct WorkerPlace {
  unsigned slot = 0;
  unsigned generation = 0;
  unsigned report = 0;  // which of the slot's reports on the scoreboard it writes
};

// The group's settings and the worker's own, as JSON. `imports` are those of its predecessor, which
// it does before it takes over; nothing for a worker that is the first.
std::string start_settings(const GroupSetup& setup, const WorkerPlace& place,
                           const std::optional<StartImports>& imports);

}  // namespace pyhost::supervisor
