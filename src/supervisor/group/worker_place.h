// What is decided about a worker before it is started.
#pragma once

#include <vector>

#include "pyhost/gateway/target.h"

namespace pyhost::supervisor {

// What a worker imports before it is ready: what its predecessor has imported.
struct StartImports {
  std::vector<gateway::Script> scripts;
  bool required = false;  // it is to ask whether it may serve when one fails
};

// The place of a worker that is to be started.
struct WorkerPlace {
  unsigned slot = 0;
  unsigned generation = 0;
  unsigned report = 0;  // which of the slot's reports on the scoreboard it writes
};

}  // namespace pyhost::supervisor
