// Whether httpd can hold the WebSockets that its process groups could have.
#pragma once

#include "apache/check/findings.h"
#include "apache/httpd_api.h"

namespace pyhost::apache {

// Of groups that are told to be ASGI, against all children together: a warning where connections=
// was written, otherwise advice. PRECONDITION: as configuration_lines() has it.
void find_few_web_sockets(const server_rec* main_server, Findings& findings);

}  // namespace pyhost::apache
