#include "serve/httpd_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "os/pipe.h"
#include "serve/stop_signals.h"

namespace pyhost::serve {

namespace {

// In the process that becomes httpd.
void hand_over(const std::vector<control::PassedListener>& listeners) {
  if (listeners.empty()) return;
  for (const auto& each : listeners) fcntl(each.fd, F_SETFD, 0);
  setenv(control::kListenersVariable, control::to_text(listeners).c_str(), 1);
}

}  // namespace

base::Result<HttpdProcess> HttpdProcess::start(
    const std::string& program, const std::string& config_file, const Pairs& environment,
    const std::vector<control::PassedListener>& listeners) {
  PH_TRY(output, os::make_pipe());
  PH_TRY(errors, os::make_pipe());
  for (const os::Pipe* pipe : {&output, &errors}) {
    fcntl(pipe->read_end.get(), F_SETFL, O_NONBLOCK);
  }
  const pid_t parent = getpid();
  HttpdProcess httpd;
  httpd.pid_ = fork();
  if (httpd.pid_ < 0) return base::fail(fmt::format("fork: {}", std::strerror(errno)));
  if (httpd.pid_ == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    StopSignals::restore_defaults();
    dup2(output.write_end.get(), STDOUT_FILENO);
    dup2(errors.write_end.get(), STDERR_FILENO);
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    hand_over(listeners);
    execl(program.c_str(), program.c_str(), "-f", config_file.c_str(), "-DFOREGROUND", nullptr);
    fmt::print(stderr, "{} cannot be run: {}\n", program, std::strerror(errno));
    std::fflush(stderr);
    _exit(1);
  }
  httpd.output_ = std::move(output.read_end);
  httpd.errors_ = std::move(errors.read_end);
  return httpd;
}

HttpdProcess::HttpdProcess(HttpdProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      status_(other.status_),
      output_(std::move(other.output_)),
      errors_(std::move(other.errors_)) {}

HttpdProcess::~HttpdProcess() {
  if (pid_ < 0 || poll_status()) return;
  stop();
  constexpr int kTries = 1000;
  constexpr useconds_t kPauseUs = 10'000;
  for (int i = 0; i < kTries && !poll_status(); ++i) usleep(kPauseUs);
  if (!poll_status()) {
    kill_all();
    waitpid(pid_, nullptr, 0);
  }
}

void HttpdProcess::stop() const noexcept {
  if (!status_) kill(pid_, SIGTERM);
}

void HttpdProcess::stop_gracefully() const noexcept {
  if (!status_) kill(pid_, SIGWINCH);
}

void HttpdProcess::kill_all() const noexcept {
  kill(-pid_, SIGKILL);
}

void HttpdProcess::graceful_restart() const noexcept {
  if (!status_) kill(pid_, SIGUSR1);
}

std::optional<int> HttpdProcess::poll_status() noexcept {
  int status = 0;
  for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
    if (pid == pid_) status_ = status;
  }
  return status_;
}

}  // namespace pyhost::serve
