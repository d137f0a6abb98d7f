// What an administrator is told about a configuration that is accepted: what of it has no effect.
#pragma once

#include "apache/check/findings.h"
#include "apache/httpd_api.h"

namespace pyhost::apache {

// Lines and options without effect, on this system or at all; also for httpd -t. PRECONDITION:
// check_process_groups() has run.
void note_what_is_inert(const server_rec* main_server, Findings& findings);

// Variables of Python in the environment of httpd and in env= of groups: Python is isolated from
// them, which whoever sets them may not expect.
void note_python_variables(const server_rec* main_server, Findings& findings);

}  // namespace pyhost::apache
