// Processes by descriptor: a pid may come to mean another process, a pidfd does not.
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::os {

// Close-on-exec, and readable when the process has ended. Invalid, with errno, when there is no
// such process (ESRCH) and when the system refuses: pidfd_open() needs Linux 5.3, and a container's
// seccomp profile that allows it.
base::UniqueFd open_pidfd(pid_t pid) noexcept;

// Takes the end of a child from the system, with what the child and those that it has waited for
// have used. False when it has not ended.
bool take_end(int pidfd, siginfo_t& info, rusage& usage) noexcept;

// The sentence about a system that refuses, from errno.
tl::unexpected<base::Error> pidfds_refused();

}  // namespace pyhost::os
