// How Python runs in a process of this server.
#pragma once

#include "pyhost/gateway/engine.h"
#include "settings/settings.h"

namespace pyhost::apache {

// What holds for httpd's children and for all workers alike.
gateway::EngineSettings common_engine_settings(const settings::ProcessSettings& settings);

}  // namespace pyhost::apache
