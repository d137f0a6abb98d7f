// What applications can ask about requests, the process and httpd.
#pragma once

#include "python/attached.h"

namespace pyhost::pyapi {

// Adds to the module `mod_wsgi`:
//   start_recording_metrics()         requests of the process are counted from now on
//   request_metrics() -> dict         since the last call, of whomever; None before that
//   process_metrics() -> dict         since the process, and the recording, began; the same
//   server_metrics() -> dict          httpd's scoreboard; None where that cannot be seen
// Times are in seconds. False with an exception pending.
bool add_metrics(python::Attached& py, PyObject* module);

}  // namespace pyhost::pyapi
