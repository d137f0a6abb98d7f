// The names of process groups that the configuration uses, and whether requests can reach them.
#pragma once

#include "apache/httpd_api.h"
#include "pyhost/base/result.h"

namespace pyhost::apache {

// Looks for names that no WSGIDaemonProcess defines. Fails with a sentence when a request for an
// alias, or for files that a section gives to the handler, would come to such a name; logs a
// warning for each that nothing is known to lead to. PRECONDITION: all_process_groups() is
// complete.
base::Result<> check_group_references(const server_rec* main_server);

}  // namespace pyhost::apache
