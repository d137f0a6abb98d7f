// The steps of a worker's start before its program runs, in their order, and how their failure is
// reported.
#pragma once

#include <array>
#include <string>

#include "launch/worker_start.h"

namespace pyhost::launch {

enum class StartStep {
  descriptors,
  limits,
  priority,
  oom_score,
  chroot,
  set_group,
  set_groups,
  set_user,
  verify_ids,
  prove_no_return,
  supervisor_gone,
  working_directory,
  program,
};
inline constexpr std::size_t kStartSteps = static_cast<std::size_t>(StartStep::program) + 1;

// A status line for the failure of each step, complete but for the system's reason and the end:
// `{"failed":"WSGIDaemonProcess shop: setuid(1001) failed: `. Made before the fork, because nothing
// may be allocated between fork and exec.
using StepFailures = std::array<std::string, kStartSteps>;
StepFailures describe_step_failures(const WorkerPlan& plan);
inline constexpr char kFailureEnd[] = "\"}\n";

}  // namespace pyhost::launch
