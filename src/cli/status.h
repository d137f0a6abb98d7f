// `pyhost status`.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "cli/group_activity.h"
#include "cli/operate_options.h"
#include "control/status_answer.h"
#include "pyhost/base/result.h"

namespace pyhost::cli {

// What is said of the activity of each group, by their names.
using ActivityLines = std::map<std::string, std::string>;

// How the process groups are, as an exit code; of several, the worst. 2 is that of a mistake in the
// command, as everywhere.
enum class StatusCode {
  serving = 0,
  impaired = 1,  // degraded or starting
  down = 3,      // failing, stopped, or in a state that is not known
  unknown = 4,   // the supervisor could not be asked
};

StatusCode status_code(const control::StatusAnswer& status);

// Shows them, once or again and again, as the options say, and returns a StatusCode.
int show_status(const OperateOptions& options);

// The answer to a status command as a table for people; `now_us` since the epoch. Fails for what
// is no such answer.
base::Result<std::string> status_table(std::string_view answer, const ActivityLines& activities,
                                       long long now_us);

}  // namespace pyhost::cli
