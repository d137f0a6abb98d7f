// httpd -t that `pyhost check` or `pyhost explain` has started: what is found is told to it, and
// not logged.
#pragma once

#include "apache/check/findings.h"
#include "apache/config/start_check.h"

namespace pyhost::apache {

// Whether this is one: it has a descriptor to tell it over.
bool is_asked_by_pyhost();

// What `apachectl -t` looks at beyond what would keep httpd from starting, and `pyhost check` too.
void check_what_is_served(const server_rec* main_server, Findings& findings);

// Looks at all else, and tells it all. PRECONDITION: is_asked_by_pyhost().
void answer_pyhost(const server_rec* main_server, Findings& findings, const StartPythons& pythons);

}  // namespace pyhost::apache
