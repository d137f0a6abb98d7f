// A plugin of another build.
#include "pyhost/gateway/engine.h"

extern "C" [[gnu::visibility("default")]] const pyhost::gateway::EnginePlugin*
pyhost_engine_plugin() {
  static constexpr pyhost::gateway::EnginePlugin kPlugin{
      .build = "another-build", .python_version = "3.11", .start = nullptr};
  return &kPlugin;
}
