// What the workers of a group need at least, before anything of the application runs.
#pragma once

#include <cstdint>
#include <string>

#include "pyhost/base/result.h"
#include "settings/process_group.h"

namespace pyhost::launch {

// How many threads there may be, and what says so: "pids.max of the control group".
struct ThreadRoom {
  std::uint64_t threads = UINT64_MAX;
  std::string limit;
};

// The smallest limit of the system, and of the control group of this process.
ThreadRoom thread_room();

// Whether limits of the group leave its workers room for their threads and for Python. Fails with a
// sentence that names the group, the option and what it takes at least.
base::Result<> check_needs(const settings::ProcessGroup& group, const ThreadRoom& room);

}  // namespace pyhost::launch
