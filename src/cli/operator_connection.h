// A connection to the supervisor's socket for operators.
#pragma once

#include <string>

#include "pyhost/base/result.h"

namespace pyhost::cli {

// Sends a line and returns the line that is the answer. Waits for it as long as it takes. Fails
// with a sentence that names the path.
base::Result<std::string> ask_supervisor(const std::string& path, const std::string& line);

}  // namespace pyhost::cli
