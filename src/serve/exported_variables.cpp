#include "serve/exported_variables.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "os/pipe.h"
#include "serve/paths.h"
#include "serve/stop_signals.h"

namespace pyhost::serve {
namespace {

[[noreturn]] void become_shell(const std::string& script, int output) {
  StopSignals::restore_defaults();
  dup2(output, STDOUT_FILENO);
  // What the script prints is not for whoever reads the variables.
  execl("/bin/sh", "sh", "-c", ". \"$1\" >&2 && exec env -0", "sh", script.c_str(), nullptr);
  _exit(126);
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 16'384> buffer;
  while (true) {
    const ssize_t bytes = read(fd, buffer.data(), buffer.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(bytes));
  }
}

void put_into_environment(std::string_view variables) {
  while (!variables.empty()) {
    const std::string entry(variables.substr(0, variables.find('\0')));
    variables.remove_prefix(std::min(variables.size(), entry.size() + 1));
    const auto equals = entry.find('=');
    if (equals == entry.npos || equals == 0) continue;
    setenv(entry.substr(0, equals).c_str(), entry.c_str() + equals + 1, 1);
  }
}

}  // namespace

base::Result<> take_exported_variables(const ServeOptions& options) {
  const std::string& script = options.envvars_script;
  if (script.empty()) return {};
  const std::string option = options.named("envvars-script");
  PH_TRY_VOID(require_file(option, script));
  PH_TRY(pipe, os::make_pipe());
  const pid_t shell = fork();
  if (shell < 0) return base::fail(fmt::format("fork: {}", std::strerror(errno)));
  if (shell == 0) become_shell(script, pipe.write_end.get());
  pipe.write_end.reset();
  const std::string variables = read_all(pipe.read_end.get());
  int status = 0;
  while (waitpid(shell, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return base::fail(fmt::format("{} {}: the script fails when a shell reads it", option, script));
  }
  put_into_environment(variables);
  return {};
}

}  // namespace pyhost::serve
