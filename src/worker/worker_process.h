// The life of a worker process, from its settings to its end.
#pragma once

namespace pyhost::worker {

// Runs on what the supervisor has left in descriptors 0 to 6 (pyhost/gateway/worker_settings.h) and
// reports what status_report.h has. SIGTERM, or the end of the supervisor, lets running requests
// finish, ends the interpreters and then the process with code 0; a second SIGTERM does not wait
// for the requests. Never returns.
[[noreturn]] void run_worker();

}  // namespace pyhost::worker
