// `pyhost check` and `pyhost explain`.
#pragma once

#include "cli/check_options.h"

namespace pyhost::cli {

// Returns the exit code: 0 when nothing has to be mended (advice is no mistake), otherwise 1.
int check(const CheckOptions& options);

}  // namespace pyhost::cli
