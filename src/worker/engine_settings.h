// How Python runs in a worker.
#pragma once

#include "control/worker_brief.h"
#include "pyhost/gateway/engine.h"

namespace pyhost::worker {

// What httpd has set for all processes, and what the group's options say.
gateway::EngineSettings engine_settings_of(const control::WorkerBrief& brief);

}  // namespace pyhost::worker
