// The application's status and headers, put where httpd looks for them.
#pragma once

#include "apache/httpd_api.h"
#include "pyhost/gateway/exchange.h"

namespace pyhost::apache {

// Copies everything into the request. Date and Server stay httpd's; without a Content-Type there
// is none.
void set_response_head(request_rec* r, const gateway::ResponseHead& head);

}  // namespace pyhost::apache
