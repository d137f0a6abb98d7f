// How Python runs in a process of this server.
#pragma once

#include "pyhost/gateway/engine.h"

namespace pyhost::apache {

// What holds for httpd's children and for all workers alike. PRECONDITION: complete_settings() has
// run.
gateway::EngineSettings common_engine_settings(std::string_view process_group);

}  // namespace pyhost::apache
