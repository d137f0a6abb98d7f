// Sockets that a service manager has opened for a process, as sd_listen_fds(3) of systemd has it.
#pragma once

#include <vector>

#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::os {

// Takes LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES out of the environment and the descriptors that
// they announce out of the reach of programs that are started; call it once, before there are
// threads. None when the variables are not there or meant for another process. Fails when they make
// no sense.
base::Result<std::vector<base::UniqueFd>> take_activated_sockets();

}  // namespace pyhost::os
