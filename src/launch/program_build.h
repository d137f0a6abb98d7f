// Which build a program of the module's is of.
#pragma once

#include <string>

#include "pyhost/base/result.h"

namespace pyhost::launch {

// Runs the program with control::kShowBuild, which each of them answers at once. Fails with a
// sentence when it is not of this build, cannot be run, or does not answer within some seconds.
base::Result<> check_program_build(const std::string& program);

}  // namespace pyhost::launch
