// What operators are told of the groups.
#pragma once

#include <vector>

#include "control/status_answer.h"
#include "metrics/group_snapshot.h"

namespace pyhost::supervisor {

control::StatusAnswer::Group status_answer_of(const metrics::GroupSnapshot& group);

}  // namespace pyhost::supervisor
