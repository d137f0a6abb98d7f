// Descriptors that httpd's parent keeps over restarts.
#pragma once

#include "pyhost/base/unique_fd.h"

namespace pyhost::apache {

// Above the numbers that the soft limit leaves to httpd and its modules, where the hard limit
// allows that: the descriptors of many groups are not to use those up. Close-on-exec.
int keep_out_of_the_way(base::UniqueFd fd) noexcept;

}  // namespace pyhost::apache
