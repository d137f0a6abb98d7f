// Findings about who may have what an application answers.
#pragma once

#include "apache/check/applications.h"
#include "apache/check/findings.h"

namespace pyhost::apache {

// Applications whose requests are all answered 403, because no line grants access. Asks httpd, see
// request_probe.h.
void find_access_not_granted(const server_rec* main_server,
                             const std::vector<Application>& applications, Findings& findings);

}  // namespace pyhost::apache
