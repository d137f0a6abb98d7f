// Asks a worker what it does.
#pragma once

#include "control/work_answer.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::supervisor {

// Who was asked, and where the answer comes from: a pipe whose end is the answer's. Without one
// there is a problem instead.
struct WorkQuestion {
  control::WorkerWork work;
  base::UniqueFd answer;
};

// Does not wait.
WorkQuestion ask_for_work(control::WorkerWork of, int status_socket);

}  // namespace pyhost::supervisor
