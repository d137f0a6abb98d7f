#include "pyhost/gateway/engine.h"

namespace pyhost::gateway {

const char kBuildId[] = PYHOST_BUILD_ID;

}  // namespace pyhost::gateway
