// Processes that are stopped by SIGSTOP.
#pragma once

#include <sys/types.h>

namespace pyhost::test {

// Waits until every thread of the process sleeps, and then until every one is stopped: a thread
// that has replied is busy for a moment longer, and one that is not the first to hear of the signal
// goes on until that had its turn.
void stop_process(pid_t pid);

}  // namespace pyhost::test
