// What mod_status shows of the process groups.
#pragma once

#include "apache/httpd_api.h"
#include "apache/process/supervision.h"

namespace pyhost::apache {

// Adds to a page of mod_status, in the form that `flags` asks for (its status_hook): for each group
// its state and the requests that wait, for each worker what the scoreboard knows. With ?auto one
// line for each, which begins with "ProcessGroup".
void show_process_groups(request_rec* r, const Supervision& supervision, int flags);

}  // namespace pyhost::apache
