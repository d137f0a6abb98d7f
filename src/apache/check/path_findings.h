// Findings about files that a user cannot get at.
#pragma once

#include "apache/check/applications.h"
#include "apache/check/findings.h"
#include "apache/check/named_scripts.h"

namespace pyhost::apache {

// Scripts that the user of their process group cannot read, or httpd's children not find, and
// folders of python-path= and WSGIPythonPath. Looks with the rights of these users, in processes
// that nobody waits for longer than ten seconds.
void find_paths_out_of_reach(const server_rec* main_server,
                             const std::vector<Application>& applications,
                             const std::vector<NamedScript>& scripts, Findings& findings);

}  // namespace pyhost::apache
