// pyhost-supervisor PID: started by httpd's parent, see launch.h.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include "pyhost/base/parse.h"
#include "supervisor/launch.h"
#include "supervisor/supervisor.h"

namespace {

using namespace pyhost;

// httpd's signals to its process group and a closing terminal are not for us.
void arrange_signals() {
  for (const int number : {SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGPIPE, SIGWINCH}) {
    signal(number, SIG_IGN);
  }
  // Ignored, as we may have inherited it, it would take the ends of workers from us.
  signal(SIGCHLD, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_SETMASK, &set, nullptr);
}

// A pidfd of our parent, which is httpd unless that has ended already.
base::UniqueFd open_httpd(pid_t pid) {
  base::UniqueFd httpd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  return getppid() == pid ? std::move(httpd) : base::UniqueFd();
}

}  // namespace

int main(int argc, char** argv) {
  const auto pid = base::parse_unsigned(argc == 2 ? argv[1] : "");
  if (!pid) {
    fmt::print(stderr, "pyhost-supervisor is started by httpd, not by hand\n");
    return 2;
  }
  arrange_signals();
  auto created = supervisor::Supervisor::create(
      {.control = base::UniqueFd(fcntl(supervisor::kControlFd, F_DUPFD_CLOEXEC, 3)),
       .httpd = open_httpd(static_cast<pid_t>(*pid)),
       .log = base::UniqueFd(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3))});
  if (!created) {
    fmt::print(stderr, "pyhost-supervisor: {}\n", created.error().sentence);
    return 1;
  }
  // The copy above is the only one: httpd must see when it is closed.
  close(supervisor::kControlFd);
  (*created)->run();
  return 0;
}
