#include "os/pidfd.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace pyhost::os {

base::UniqueFd open_pidfd(pid_t pid) noexcept {
  return base::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

}  // namespace pyhost::os
