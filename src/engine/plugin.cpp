// The plugin's one exported function; see gateway::EnginePlugin.

#include "engine/local_engine.h"

namespace {

constexpr pyhost::gateway::EnginePlugin kPlugin = {
    .build = pyhost::gateway::kBuildId,
    .python_version = PYHOST_PYTHON_VERSION,
    .start = &pyhost::engine::LocalEngine::start,
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const pyhost::gateway::EnginePlugin*
pyhost_engine_plugin() {
  return &kPlugin;
}
