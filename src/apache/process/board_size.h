// How large the scoreboard of a process group is to be.
#pragma once

#include "appmetrics/memory.h"
#include "scoreboard/scoreboard.h"
#include "settings/process_group.h"

namespace pyhost::apache {

// For the children and threads that the MPM allows. PRECONDITION: the configuration has been read.
scoreboard::BoardSize board_size_of(const settings::ProcessGroup& group);
// For what the children run themselves. The same.
scoreboard::BoardSize embedded_board_size();

// And the memory of what applications measure.
appmetrics::Shape metrics_shape_of(const settings::ProcessGroup& group);
appmetrics::Shape embedded_metrics_shape();

}  // namespace pyhost::apache
