// pyhost-supervisor PID WORKER: started by httpd's parent, see launch.h.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/parse.h"
#include "control/program_options.h"
#include "control/supervisor_link.h"
#include "os/pidfd.h"
#include "pyhost/gateway/build_id.h"
#include "supervisor/descriptor_limit.h"
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
base::Result<base::UniqueFd> open_httpd(pid_t pid) {
  base::UniqueFd httpd = os::open_pidfd(pid);
  if (!httpd.valid() && errno != ESRCH) return os::pidfds_refused();
  if (!httpd.valid() || getppid() != pid) return base::fail("httpd has ended");
  return httpd;
}

std::string program_beside_this_one(const char* name) {
  std::error_code unreadable;
  return std::filesystem::read_symlink("/proc/self/exe", unreadable).replace_filename(name);
}

base::Result<> run(pid_t pid, std::string worker_program) {
  PH_TRY(httpd, open_httpd(pid));
  PH_TRY(supervisor, supervisor::Supervisor::create(
                         {.control = base::UniqueFd(fcntl(control::kControlFd, F_DUPFD_CLOEXEC, 3)),
                          .httpd = std::move(httpd),
                          .httpd_pid = pid,
                          .worker_program = std::move(worker_program),
                          .lookout_program = program_beside_this_one("pyhost-lookout"),
                          .worker_descriptors = supervisor::raise_descriptor_limit(),
                          .log = base::UniqueFd(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3))}));
  // The copy above is the only one: httpd must see when it is closed.
  close(control::kControlFd);
  supervisor->run();
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == control::kShowBuild) {
    fmt::print("{}\n", gateway::kBuildId);
    return 0;
  }
  const auto pid = base::parse_unsigned(argc == 3 ? argv[1] : "");
  if (!pid) {
    fmt::print(stderr, "pyhost-supervisor is started by httpd, not by hand\n");
    return 2;
  }
  arrange_signals();
  const auto ended = run(static_cast<pid_t>(*pid), argv[2]);
  if (ended) return 0;
  fmt::print(stderr, "pyhost-supervisor: {}\n", ended.error().sentence);
  return 1;
}
