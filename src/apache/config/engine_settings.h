// How Python runs in a process of this server.
#pragma once

#include "pyhost/gateway/engine.h"

namespace pyhost::apache {

// What holds for httpd's children and for all workers alike. PRECONDITION: complete_settings() has
// run.
// A number of the MPM, at least 1.
int mpm_number(int query);

gateway::EngineSettings common_engine_settings(std::string_view process_group);

}  // namespace pyhost::apache
