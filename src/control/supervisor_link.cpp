#include "control/supervisor_link.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace pyhost::control {
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

base::Result<SupervisorLink> launch_supervisor(const Programs& programs, int error_log) {
  for (const std::string& program : {programs.supervisor, programs.worker}) {
    if (access(program.c_str(), X_OK) == 0) continue;
    return base::fail(fmt::format("{} cannot be run: {}", program, std::strerror(errno)));
  }
  PH_TRY(channel, make_control_channel());
  std::string path = programs.supervisor;
  std::string parent = fmt::to_string(getpid());
  std::string worker = programs.worker;
  char* const arguments[] = {path.data(), parent.data(), worker.data(), nullptr};
  const pid_t pid = fork();
  if (pid < 0) return base::fail(fmt::format("fork: {}", std::strerror(errno)));
  if (pid == 0) become_supervisor(arguments, channel.supervisor.get(), error_log);
  return SupervisorLink{.pid = pid, .control = std::move(channel.httpd)};
}

base::Result<> send_wanted_state(int control, std::uint64_t number, const WantedState& state,
                                 std::span<const int> descriptors) {
  return send_message(control, number, to_json(state), descriptors, kAnswerPatience);
}

base::Result<> retire(int control, std::uint64_t number) {
  constexpr std::chrono::seconds kPatience{1};
  return send_message(control, number, kRetireText, {}, kPatience);
}

base::Result<> tell_refusal(int control, std::uint64_t number, std::string_view why) {
  constexpr std::chrono::seconds kPatience{1};
  return send_message(control, number, refusal_text(why), {}, kPatience);
}

base::Result<Answer> await_answer(int control, std::uint64_t number,
                                  std::chrono::milliseconds patience) {
  ControlReceiver receiver(control);
  PH_TRY(message, await_message(receiver, control, number, patience));
  return parse_answer(message.text);
}

base::Result<std::optional<Answer>> take_answer(int control, std::uint64_t number) {
  ControlReceiver receiver(control);
  while (const auto message = receiver.read()) {
    if (message->number != number) continue;
    PH_TRY(answer, parse_answer(message->text));
    return std::optional(std::move(answer));
  }
  return std::optional<Answer>();
}

base::Result<> outcome_of(const Answer& answer) {
  if (answer.errors.empty()) return {};
  return base::fail(fmt::format("{}", fmt::join(answer.errors, "\n")));
}

}  // namespace pyhost::control
