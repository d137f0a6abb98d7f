#include "os/reap_later.h"

#include <sys/wait.h>

#include <memory>

namespace pyhost::os {

void reap_later(EventLoop& loop, base::UniqueFd pidfd) {
  const int fd = pidfd.get();
  const auto owned = std::make_shared<base::UniqueFd>(std::move(pidfd));
  (void)loop.watch(fd, [&loop, owned, fd] {
    siginfo_t info{};
    if (waitid(P_PIDFD, fd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0) return;
    loop.forget(fd);
  });
}

}  // namespace pyhost::os
