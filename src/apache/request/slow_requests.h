// WSGISlowRequests.
#pragma once

#include "apache/httpd_api.h"
#include "apache/process/supervision.h"

namespace pyhost::apache {

// Of a request that is over, whose record says where its time has gone: logs it when that was
// longer than WSGISlowRequests.
void log_if_slow(const request_rec* r);

// In the parent, every now and then: the same of requests that still run, once for each, in the log
// of the main server.
void log_slow_ones_that_run(const server_rec* main_server, Supervision& supervision);

}  // namespace pyhost::apache
