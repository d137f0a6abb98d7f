// Runs the commands for process groups of a running httpd.
#pragma once

#include <string>
#include <string_view>

#include "cli/operate_options.h"
#include "pyhost/base/result.h"

namespace pyhost::cli {

// Returns the exit code: 0 when the supervisor has done it, 1 with a sentence on stderr otherwise;
// for the status, a StatusCode.
int operate(const OperateOptions& options);

// The one line of the request. PRECONDITION: there is a command.
std::string request_line(const OperateOptions& options);

// The sentence of a supervisor that does not do what it was asked for; ok for any other answer.
base::Result<> refusal_in(std::string_view answer);
// The same JSON in ASCII: applications have a say in its texts. PRECONDITION: it is JSON.
std::string ascii_of(std::string_view json);

}  // namespace pyhost::cli
