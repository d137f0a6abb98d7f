#include "pyhost/gateway/build_id.h"

namespace pyhost::gateway {

const char kBuildId[] = PYHOST_BUILD_ID;
static_assert(sizeof kBuildId <= kBuildIdBytesMax + 1);

}  // namespace pyhost::gateway
