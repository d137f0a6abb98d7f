// The handler pyhost-health.
#pragma once

#include "apache/httpd_api.h"
#include "apache/process/supervision.h"

namespace pyhost::apache {

inline constexpr char kHealthHandler[] = "pyhost-health";

// Answers GET and HEAD with 200, or with 503, Retry-After and the reason, one line for each process
// group that is asked for: that of ?group=, of WSGIProcessGroup where the location is, or all. It
// asks nobody, so it works whatever the workers do. Who may see it is as with pyhost-status.
int answer_health(request_rec* r, const Supervision& supervision);

}  // namespace pyhost::apache
