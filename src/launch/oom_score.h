// How soon the kernel ends a process when the machine is out of memory.
#pragma once

#include "settings/process_group.h"

namespace pyhost::launch {

// Of this process; 0 where /proc does not say.
int own_oom_score() noexcept;

// Whether oom-score-adjust= asks for less than what an ordinary user's processes have anyway, which
// only root may give.
bool is_oom_score_for_root(const settings::ProcessGroup& group) noexcept;

}  // namespace pyhost::launch
