// When what has happened to a request.
#pragma once

#include "base/clock.h"

namespace pyhost::gateway {

// As httpd's child has seen it. What httpd has done before, such as access control, is not in it.
struct RequestTimes {
  base::TimePoint arrived{};         // the module has it
  base::Clock::duration queued{0};   // so long it has waited for a worker, over all attempts
  base::TimePoint sent{};            // to the worker that has run it, or to Python in this child;
                                     // the epoch: it was not run
  base::Clock::duration writing{0};  // so long httpd's output filters have had it, with clients
                                     // that were slow
  base::TimePoint ended{};           // the reply is httpd's; the epoch: not yet

  bool was_sent() const noexcept { return sent != base::TimePoint{}; }
};

}  // namespace pyhost::gateway
