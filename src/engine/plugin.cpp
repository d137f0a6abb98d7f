// The plugin's one exported function; see gateway::EnginePlugin.

#include "pyhost/gateway/plugin.h"

#include "engine/capabilities.h"
#include "engine/local_engine.h"

namespace {

constexpr pyhost::gateway::EnginePlugin kPlugin = {
    .build = pyhost::gateway::kBuildId,
    .abi = PYHOST_PYTHON_VERSION,
    .capabilities = pyhost::engine::kCapabilities,
    .open = &pyhost::engine::LocalEngine::open,
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const pyhost::gateway::EnginePlugin*
pyhost_engine_plugin() {
  return &kPlugin;
}
