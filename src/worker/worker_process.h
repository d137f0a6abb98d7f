// The life of a worker process, from its settings to its end.
#pragma once

namespace pyhost::worker {

// Runs on what the supervisor has left in its descriptors (control/worker_descriptors.h) and
// reports what control/worker_report.h has. SIGTERM, or the end of the supervisor, lets running
// requests finish, ends the interpreters and then the process with code 0; a second SIGTERM does
// not wait for the requests. Never returns.
[[noreturn]] void run_worker();

// Loads the plugin of a group and no more: no Python runs. The exit code; what fails is reported.
int try_plugin(const char* path, const char* group);

}  // namespace pyhost::worker
