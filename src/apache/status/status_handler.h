// The handler pyhost-status.
#pragma once

#include "apache/httpd_api.h"
#include "apache/process/supervision.h"

namespace pyhost::apache {

inline constexpr char kStatusHandler[] = "pyhost-status";

// Answers GET and HEAD with how all is doing, in the form that is asked for. Declines requests of
// other handlers. Unless WSGIStatusLocalOnly is Off, whoever does not come from this machine gets
// 403.
int answer_status(request_rec* r, Supervision& supervision);

}  // namespace pyhost::apache
