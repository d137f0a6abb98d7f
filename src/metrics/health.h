// Whether a process group can be sent requests, for load balancers and the like.
#pragma once

#include <string>

#include "metrics/group_snapshot.h"

namespace pyhost::metrics {

struct Health {
  bool serves = false;
  std::string text;  // "serving"; or a sentence without its end: what is wrong
};

// It serves when it has the newest code that is good: of a script that is broken the version of
// before is served, which the text says. It does not when nothing is served of a script that was
// asked for, when no worker is ready or none of those gives a sign of life, or when it is stopped.
Health health_of(const GroupSnapshot& group);

}  // namespace pyhost::metrics
