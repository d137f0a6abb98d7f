// A request that an application is busy with.
#pragma once

#include <cstdint>
#include <limits>

#include "base/clock.h"

namespace pyhost::worker {

// In place of a thread's exchange: the request runs in an event loop.
inline constexpr unsigned kInEventLoop = std::numeric_limits<unsigned>::max();

struct RunningRequest {
  unsigned exchange = 0;     // whose request it is
  std::uint64_t number = 0;  // tells apart the requests of one exchange, or all those in loops
  base::TimePoint began{};   // or its import did
  bool importing = false;    // its script, or waits for that

  bool operator==(const RunningRequest&) const = default;
};

}  // namespace pyhost::worker
