// Whether applications run where they can.
#pragma once

#include "apache/check/findings.h"

namespace pyhost::apache {

// ASGI applications have their event loops in workers: refuses aliases that say that theirs is one
// and that no process group has.
void check_interfaces(const server_rec* main_server, Findings& findings);

}  // namespace pyhost::apache
