#include "os/pidfd.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace pyhost::os {

base::UniqueFd open_pidfd(pid_t pid) noexcept {
  return base::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

// The C library's function has no place for the usage.
bool take_end(int pidfd, siginfo_t& info, rusage& usage) noexcept {
  info = {};
  return ::syscall(SYS_waitid, P_PIDFD, pidfd, &info, WEXITED | WNOHANG, &usage) == 0 &&
         info.si_pid != 0;
}

tl::unexpected<base::Error> pidfds_refused() {
  return base::fail(
      fmt::format("the system call pidfd_open() is refused: {}; it needs Linux 5.3, and a "
                  "container's seccomp profile that allows it",
                  std::strerror(errno)));
}

}  // namespace pyhost::os
