#include "launch/program_build.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "base/printable.h"
#include "control/program_options.h"
#include "os/pipe.h"
#include "pyhost/gateway/build_id.h"

namespace pyhost::launch {
namespace {

constexpr std::chrono::seconds kPatience{10};
constexpr int kExecFailed = 126;

[[noreturn]] void become(const std::string& program, int out) {
  std::string path = program;
  std::string option = control::kShowBuild;
  char* const arguments[] = {path.data(), option.data(), nullptr};
  dup2(out, STDOUT_FILENO);
  close_range(STDERR_FILENO + 1, ~0u, 0);
  execv(path.c_str(), arguments);
  _exit(kExecFailed);
}

// The first line, as far as it has come until then.
std::string read_line(int in) {
  const base::TimePoint until = base::Clock::now() + kPatience;
  std::string line;
  std::array<char, gateway::kBuildIdBytesMax> buffer;
  while (line.size() < buffer.size() && line.find('\n') == line.npos) {
    using std::chrono::ceil, std::chrono::milliseconds;
    const auto left = ceil<milliseconds>(until - base::Clock::now()).count();
    pollfd readable{.fd = in, .events = POLLIN, .revents = 0};
    if (left <= 0 || poll(&readable, 1, static_cast<int>(left)) <= 0) break;
    const ssize_t got = read(in, buffer.data(), buffer.size());
    if (got <= 0) break;
    line.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return line.substr(0, line.find('\n'));
}

}  // namespace

base::Result<> check_program_build(const std::string& program) {
  if (access(program.c_str(), X_OK) != 0) {
    return base::fail(fmt::format("{} cannot be run: {}; it belongs beside mod_pyhost.so", program,
                                  std::strerror(errno)));
  }
  PH_TRY(pipe, os::make_pipe());
  const pid_t pid = fork();
  if (pid < 0) return base::fail(fmt::format("fork: {}", std::strerror(errno)));
  if (pid == 0) become(program, pipe.write_end.get());
  pipe.write_end.reset();
  const std::string build = read_line(pipe.read_end.get());
  // It may be a program of before, which knows no such option.
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  if (build == gateway::kBuildId) return {};
  return base::fail(fmt::format(
      "{} is of {}, mod_pyhost of build {}; install both anew", program,
      build.empty() ? "an unknown build" : "build " + base::printable(build), gateway::kBuildId));
}

}  // namespace pyhost::launch
