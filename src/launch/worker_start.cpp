#include "launch/worker_start.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "control/worker_descriptors.h"
#include "launch/start_step.h"
#include "os/pidfd.h"

namespace pyhost::launch {
namespace {

// What a rehearsal is to do.
struct Rehearsal {
  const InputFiles& files;
  Rehearse extent;
};

// Everything the new process needs, made before the fork: between fork and exec only
// async-signal-safe functions are called and nothing is allocated.
struct Preparation {
  const WorkerPlan& plan;
  const WorkerDescriptors& inherited;
  const Rehearsal* rehearsal;  // nullptr: the program is to run
  pid_t parent;
  int status;
  StepFailures failures;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  std::string oom_score;           // what the kernel is to read; "" to leave it
  std::vector<gid_t> groups_seen;  // room for what getgroups() says
};

[[noreturn]] void report_and_exit(const Preparation& start, StartStep step, int error) {
  const std::string& failure = start.failures[static_cast<std::size_t>(step)];
  const char* reason = strerrordesc_np(error);
  const auto say = [&start](const char* text, std::size_t length) {
    return write(start.status, text, length) == static_cast<ssize_t>(length);
  };
  // If the supervisor cannot be told, it still sees the exit code.
  const bool told = say(failure.data(), failure.size()) && say(reason, std::strlen(reason)) &&
                    say(kFailureEnd, sizeof kFailureEnd - 1);
  _exit(told ? 1 : 2);
}

void require(bool good, const Preparation& start, StartStep step) {
  if (!good) report_and_exit(start, step, errno);
}

// Sources may lie where others have to go, so all of them move out of the way first.
void arrange_descriptors(Preparation& start) {
  constexpr int kOutOfTheWay = 32;
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  const std::array<int, control::kWorkerFds> sources{
      null,
      start.inherited.log,
      start.inherited.log,
      start.inherited.listen,
      start.status,
      start.inherited.settings,
      start.inherited.board,
      start.inherited.reports,
      start.inherited.metrics >= 0 ? start.inherited.metrics : null};
  std::array<int, control::kWorkerFds> moved;
  for (int i = 0; i < control::kWorkerFds; ++i) {
    moved[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, kOutOfTheWay);
    require(moved[i] >= 0, start, StartStep::descriptors);
  }
  start.status = moved[control::kWorkerStatusFd];
  for (int i = 0; i < control::kWorkerFds; ++i) {
    require(dup2(moved[i], i) == i, start, StartStep::descriptors);
  }
  start.status = control::kWorkerStatusFd;
  require(close_range(control::kWorkerFds, ~0u, 0) == 0, start, StartStep::descriptors);
}

void restore_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) sigaction(number, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void set_limits(const Preparation& start) {
  for (const auto& [resource, soft, hard] : start.plan.limits) {
    const rlimit limit{.rlim_cur = soft, .rlim_max = hard};
    require(setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0, start,
            StartStep::limits);
  }
  if (start.plan.cpu_priority != 0) {
    require(setpriority(PRIO_PROCESS, 0, start.plan.cpu_priority) == 0, start, StartStep::priority);
  }
}

// While /proc is in sight and the process may still write to its own entry there.
void set_oom_score(const Preparation& start) {
  if (start.oom_score.empty()) return;
  const int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  require(file >= 0, start, StartStep::oom_score);
  const ssize_t size = start.oom_score.size();
  require(write(file, start.oom_score.data(), size) == size, start, StartStep::oom_score);
  close(file);
}

void verify_ids(Preparation& start) {
  const Credentials& wanted = start.plan.credentials;
  uid_t uid, euid, suid;
  gid_t gid, egid, sgid;
  getresuid(&uid, &euid, &suid);
  getresgid(&gid, &egid, &sgid);
  const int count = getgroups(start.groups_seen.size(), start.groups_seen.data());
  const bool same_user = uid == wanted.uid && euid == wanted.uid && suid == wanted.uid;
  const bool same_group = gid == wanted.gid && egid == wanted.gid && sgid == wanted.gid;
  std::sort(start.groups_seen.begin(), start.groups_seen.begin() + std::max(count, 0));
  const bool same_groups =
      count >= 0 && std::equal(start.groups_seen.begin(), start.groups_seen.begin() + count,
                               wanted.groups.begin(), wanted.groups.end());
  if (!same_user || !same_group || !same_groups) {
    report_and_exit(start, StartStep::verify_ids, EPERM);
  }
}

// Groups before the user: afterwards there is no right to change them any more.
void take_credentials(Preparation& start) {
  const WorkerPlan& plan = start.plan;
  const Credentials& wanted = plan.credentials;
  if (!plan.chroot.empty()) {
    require(chroot(plan.chroot.c_str()) == 0 && chdir("/") == 0, start, StartStep::chroot);
  }
  if (!wanted.privileged) return;
  require(setresgid(wanted.gid, wanted.gid, wanted.gid) == 0, start, StartStep::set_group);
  require(setgroups(wanted.groups.size(), wanted.groups.data()) == 0, start, StartStep::set_groups);
  require(setresuid(wanted.uid, wanted.uid, wanted.uid) == 0, start, StartStep::set_user);
  verify_ids(start);
  constexpr uid_t kUnchanged = -1;
  const bool root_again = setuid(0) == 0 || setresuid(kUnchanged, 0, kUnchanged) == 0;
  const bool group_again = wanted.gid != 0 && setresgid(kUnchanged, 0, kUnchanged) == 0;
  if (root_again || group_again) {
    report_and_exit(start, StartStep::prove_no_return, EPERM);
  }
}

// The kernel forgets the wish when the ids change, so it comes after them.
void end_with_supervisor(const Preparation& start) {
  require(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0, start, StartStep::supervisor_gone);
  if (getppid() != start.parent) report_and_exit(start, StartStep::supervisor_gone, ESRCH);
}

void enter_working_directory(const Preparation& start) {
  const WorkerPlan& plan = start.plan;
  if (plan.umask) umask(*plan.umask);
  if (plan.working_directory.empty() || chdir(plan.working_directory.c_str()) == 0) return;
  require(!plan.working_directory_required && chdir("/") == 0, start, StartStep::working_directory);
}

// To look at what is the user's own, until see_as_root().
void see_as_worker(const Preparation& start) {
  const Credentials& wanted = start.plan.credentials;
  if (!wanted.privileged) return;
  constexpr uid_t kUnchanged = -1;
  require(setgroups(wanted.groups.size(), wanted.groups.data()) == 0, start, StartStep::set_groups);
  require(setresgid(kUnchanged, wanted.gid, kUnchanged) == 0, start, StartStep::set_group);
  require(setresuid(kUnchanged, wanted.uid, kUnchanged) == 0, start, StartStep::set_user);
}

void see_as_root(const Preparation& start) {
  if (!start.plan.credentials.privileged) return;
  constexpr uid_t kUnchanged = -1;
  require(setresuid(kUnchanged, 0, kUnchanged) == 0, start, StartStep::set_user);
  require(setresgid(kUnchanged, 0, kUnchanged) == 0, start, StartStep::set_group);
}

// The process has one thread, so this may do what a process does that was not forked.
// Gives the plugin that the worker would load.
std::string read_files(const Preparation& start) {
  see_as_worker(start);
  end_with_supervisor(start);
  AsRoot as_root;
  if (start.plan.credentials.privileged) {
    as_root = [&start](const std::function<void()>& look) {
      see_as_root(start);
      look();
      see_as_worker(start);
    };
  }
  const auto inputs = read_inputs(start.rehearsal->files, as_root);
  std::string line = to_json(inputs);
  line += '\n';
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t written = write(start.status, rest.data(), rest.size());
    if (written <= 0) _exit(2);
    rest.remove_prefix(written);
  }
  if (!inputs) _exit(1);
  see_as_root(start);
  const auto& plugins = start.rehearsal->files.plugins;
  if (!inputs->plugin.empty() || plugins.empty()) return inputs->plugin;
  return plugins.front().path;
}

// Whether the program and the plugin find their libraries below a root of their own.
[[noreturn]] void try_plugin(Preparation& start, const std::string& plugin) {
  std::string option = control::kTryPlugin, path = plugin, group = start.plan.group_name;
  char* arguments[] = {start.arguments.front(), option.data(), path.data(), group.data(), nullptr};
  execve(start.plan.program.c_str(), arguments, start.environment.data());
  report_and_exit(start, StartStep::program, errno);
}

[[noreturn]] void become_worker(Preparation& start) {
  // A process group of its own: a terminal's Ctrl-C is for httpd.
  setpgid(0, 0);
  restore_signals();
  arrange_descriptors(start);
  std::string plugin;
  if (start.rehearsal != nullptr) {
    plugin = read_files(start);
    if (start.rehearsal->extent == Rehearse::files) _exit(0);
  }
  set_limits(start);
  set_oom_score(start);
  take_credentials(start);
  end_with_supervisor(start);
  enter_working_directory(start);
  if (start.rehearsal != nullptr) {
    require(access(start.plan.program.c_str(), X_OK) == 0, start, StartStep::program);
    if (!start.plan.chroot.empty() && !plugin.empty()) try_plugin(start, plugin);
    _exit(0);
  }
  execve(start.plan.program.c_str(), start.arguments.data(), start.environment.data());
  report_and_exit(start, StartStep::program, errno);
}

// A signal for the new process waits until that has its own ways with signals: what the supervisor
// ignores would be lost.
pid_t fork_with_signals_blocked() {
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t pid = fork();
  const int error = errno;
  if (pid != 0) sigprocmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

base::Result<WorkerProcess> start(const WorkerPlan& plan, const WorkerDescriptors& inherited,
                                  const Rehearsal* rehearsal) {
  const auto refused = [&plan](const char* what) {
    return base::fail(fmt::format("WSGIDaemonProcess {}: no worker could be started: {}: {}",
                                  plan.group_name, what, std::strerror(errno)));
  };
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return refused("socketpair");
  WorkerProcess worker;
  worker.status.reset(ends[0]);
  const base::UniqueFd write_end(ends[1]);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);

  const std::vector<std::string> arguments{plan.display_name};
  Preparation preparation{
      .plan = plan,
      .inherited = inherited,
      .rehearsal = rehearsal,
      .parent = getpid(),
      .status = write_end.get(),
      .failures = describe_step_failures(plan),
      .arguments = pointers_to(arguments),
      .environment = pointers_to(plan.environment),
      .oom_score = plan.oom_score_adjust ? fmt::to_string(*plan.oom_score_adjust) : std::string(),
      .groups_seen = std::vector<gid_t>(plan.credentials.groups.size() + 1)};
  worker.pid = fork_with_signals_blocked();
  if (worker.pid == 0) become_worker(preparation);
  if (worker.pid < 0) return refused("fork");
  worker.pidfd = os::open_pidfd(worker.pid);
  if (!worker.pidfd.valid()) {
    const int error = errno;
    kill(worker.pid, SIGKILL);
    waitpid(worker.pid, nullptr, 0);
    errno = error;
    return refused("pidfd_open");
  }
  return worker;
}

}  // namespace

base::Result<WorkerProcess> start_worker(const WorkerPlan& plan,
                                         const WorkerDescriptors& inherited) {
  return start(plan, inherited, nullptr);
}

base::Result<WorkerProcess> start_rehearsal(const WorkerPlan& plan, const InputFiles& files,
                                            Rehearse extent) {
  const base::UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  const Rehearsal rehearsal{.files = files, .extent = extent};
  return start(plan,
               {.log = null.get(),
                .listen = null.get(),
                .settings = null.get(),
                .board = null.get(),
                .reports = null.get()},
               &rehearsal);
}

}  // namespace pyhost::launch
