// How a process group is, for its operators.
#pragma once

#include <string>
#include <vector>

#include "metrics/scoreboard.h"

namespace pyhost::supervisor {

struct GroupStatus {
  enum class State {
    serving,   // at least one worker is ready
    degraded,  // workers serve old code because their successors could not start
    starting,  // no worker is ready
    stopped,   // by an operator; workers may still drain
  };
  std::string name;
  State state = State::starting;
  std::string reason;  // why a worker could not start, while that is so; else ""
  unsigned threads = 0;
  unsigned waiting = 0;                      // requests, for a worker
  std::vector<metrics::SlotStatus> workers;  // by slot
};

// As gateway/operator_protocol.h shows it.
std::string to_json(const std::vector<GroupStatus>& groups, pid_t supervisor);

}  // namespace pyhost::supervisor
