// All that a worker process is told at its start, by descriptor: the supervisor writes it, the
// worker reads it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/worker_settings.h"
#include "pyhost/base/result.h"
#include "pyhost/gateway/target.h"
#include "settings/process_group.h"

namespace pyhost::control {

// What one worker is to be: the supervisor's part.
struct WorkerAssignment {
  std::uint32_t slot = 0;
  std::uint32_t row = 0;         // of the scoreboard, at its start
  std::uint32_t generation = 1;  // which start of a worker in its slot this is
  std::uint32_t report = 0;      // which of the slot's reports on the scoreboard it writes
  // Of the group's Python home, as it was found; all "" when it has none.
  std::string plugin;
  std::string python_program;
  std::string python_home;
  // What the worker that it replaces has imported. Files that are gone are left out.
  std::vector<gateway::Script> imports;
  bool imports_required = false;  // it does not start when an import fails

  bool operator==(const WorkerAssignment&) const = default;
};

struct WorkerBrief {
  settings::ProcessGroup group;
  WorkerSettings settings;
  WorkerAssignment assignment;
};

// JSON, for kWorkerSettingsFd. `settings` is what to_json() has made of them.
std::string worker_brief(const settings::ProcessGroup& group, std::string_view settings,
                         const WorkerAssignment& assignment);
// Fails with a sentence for what worker_brief() has not made, and when a program of another build
// has, before anything else is looked at.
base::Result<WorkerBrief> parse_worker_brief(std::string_view json);

}  // namespace pyhost::control
