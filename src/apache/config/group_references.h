// The names of process groups that the configuration uses, and whether requests can reach them.
#pragma once

#include "apache/check/findings.h"
#include "apache/httpd_api.h"

namespace pyhost::apache {

// Finds names that no WSGIDaemonProcess defines: refuses one that a request for an alias, or for
// files that a section gives to the handler, would come to, and warns of one that nothing is known
// to lead to. PRECONDITION: all_process_groups() is complete.
void check_group_references(const server_rec* main_server, Findings& findings);

}  // namespace pyhost::apache
