// Records the slots on the scoreboard.
#pragma once

#include <memory>

#include "pyhost/base/result.h"
#include "supervisor/slot_recorder.h"

namespace pyhost::supervisor {

// Maps the scoreboard behind a descriptor, which stays the caller's. Fails when it is none of this
// build. PRECONDITION: the positions that are recorded have a row.
base::Result<std::unique_ptr<SlotRecorder>> record_on_scoreboard(int memory);

}  // namespace pyhost::supervisor
