// A plugin of another build.
#include "pyhost/gateway/plugin.h"

extern "C" [[gnu::visibility("default")]] const pyhost::gateway::EnginePlugin*
pyhost_engine_plugin() {
  static constexpr pyhost::gateway::EnginePlugin kPlugin{
      .build = "another-build", .abi = "3.11", .open = nullptr};
  return &kPlugin;
}
