#include "engine/engine_fixture.h"

namespace pyhost::test {

gateway::EngineSettings engine_settings() {
  return {.server_version = {2, 4, 99}};
}

}  // namespace pyhost::test
