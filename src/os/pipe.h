// A pipe whose ends no program inherits.
#pragma once

#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::os {

struct Pipe {
  base::UniqueFd read_end;
  base::UniqueFd write_end;
};

// Fails with the system's reason.
base::Result<Pipe> make_pipe();

}  // namespace pyhost::os
