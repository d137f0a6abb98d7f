// Findings about which request gets where.
#pragma once

#include "apache/check/applications.h"
#include "apache/check/findings.h"

namespace pyhost::apache {

// Aliases that an earlier one takes all requests from.
void find_shadowed_aliases(const server_rec* main_server, Findings& findings);

// Names of groups in WSGIRestrictProcess, and of handlers, that mean nothing and are like one that
// does.
void find_names_without_meaning(const server_rec* main_server, Findings& findings);

// Sections that have files run, and do not tell which those can be.
void find_unserved_layouts(const server_rec* main_server, Findings& findings);

// Groups that no request and no import leads to.
void find_unused_groups(const server_rec* main_server, Findings& findings);

// Applications that do not see the Authorization header.
void find_withheld_authorization(const std::vector<Application>& applications, Findings& findings);

}  // namespace pyhost::apache
