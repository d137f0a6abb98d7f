#include "supervisor/launch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace pyhost::supervisor {
namespace {

// Between fork and exec: nothing is allocated.
[[noreturn]] void become_supervisor(char* const* arguments, int control, int error_log) {
  setsid();
  constexpr int kOutOfTheWay = 16;
  control = fcntl(control, F_DUPFD, kOutOfTheWay);
  error_log = fcntl(error_log, F_DUPFD, kOutOfTheWay);
  if (dup2(control, kControlFd) < 0 || dup2(error_log, STDOUT_FILENO) < 0 ||
      dup2(error_log, STDERR_FILENO) < 0) {
    _exit(1);
  }
  close_range(STDERR_FILENO + 1, ~0u, 0);
  execv(arguments[0], arguments);
  constexpr std::string_view kFailure = "pyhost-supervisor cannot be run\n";
  [[maybe_unused]] const ssize_t told = write(STDERR_FILENO, kFailure.data(), kFailure.size());
  _exit(1);
}

}  // namespace

base::Result<SupervisorLink> launch_supervisor(const std::string& program, int error_log) {
  if (access(program.c_str(), X_OK) != 0) {
    return base::fail(fmt::format("{} cannot be run: {}", program, std::strerror(errno)));
  }
  PH_TRY(channel, make_control_channel());
  std::string path = program;
  std::string parent = fmt::to_string(getpid());
  char* const arguments[] = {path.data(), parent.data(), nullptr};
  const pid_t pid = fork();
  if (pid < 0) return base::fail(fmt::format("fork: {}", std::strerror(errno)));
  if (pid == 0) become_supervisor(arguments, channel.second.get(), error_log);
  return SupervisorLink{.pid = pid, .control = std::move(channel.first)};
}

base::Result<> send_wanted_state(int control, const WantedState& state,
                                 std::span<const int> descriptors) {
  // Rehearsing the start of many groups takes a moment; a supervisor that hangs must not keep httpd
  // from saying so.
  constexpr std::chrono::seconds kPatience{60};
  PH_TRY_VOID(send_message(control, to_json(state), descriptors));
  PH_TRY(message, receive_message(control, kPatience));
  if (!message)
    return base::fail("pyhost-supervisor has ended; its last words are in the error log");
  PH_TRY(answer, parse_answer(message->text));
  if (answer.errors.empty()) return {};
  return base::fail(fmt::format("{}", fmt::join(answer.errors, "\n")));
}

}  // namespace pyhost::supervisor
