// Runs the commands for process groups of a running httpd.
#pragma once

#include <string>
#include <string_view>

#include "cli/operate_options.h"
#include "pyhost/base/result.h"

namespace pyhost::cli {

// Returns the exit code: 0 when the supervisor has done it, 1 with a sentence on stderr otherwise.
int operate(const OperateOptions& options);

// The one line of the request. PRECONDITION: there is a command.
std::string request_line(const OperateOptions& options);

// The answer to a status command as a table for people; `now_us` since the epoch. Fails for what is
// no such answer.
base::Result<std::string> status_table(std::string_view answer, long long now_us);

}  // namespace pyhost::cli
