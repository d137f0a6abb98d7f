#include "pyhost/gateway/plugin.h"

namespace pyhost::gateway {

const char kBuildId[] = PYHOST_BUILD_ID;

}  // namespace pyhost::gateway
