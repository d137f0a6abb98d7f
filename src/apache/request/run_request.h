// Runs a request that has been mapped.
#pragma once

#include "apache/httpd_api.h"
#include "apache/request/request_map.h"

namespace pyhost::apache {

// Counts it and notes in its record what it has cost. Returns what the handler must.
int run_request(request_rec* r, const MappedRequest& request);

}  // namespace pyhost::apache
