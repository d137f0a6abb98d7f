// What operators and the page of httpd are told of a group.
#pragma once

#include "control/status_answer.h"
#include "metrics/group_report.h"

namespace pyhost::control {

// Its scripts are those that the snapshot has.
StatusAnswer::Group status_answer_of(const metrics::GroupSnapshot& group);
// The same, also of what httpd's own processes run.
StatusAnswer::Group status_answer_of(const metrics::GroupReport& report);

}  // namespace pyhost::control
