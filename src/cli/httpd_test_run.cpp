#include "cli/httpd_test_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "control/check_protocol.h"
#include "os/pipe.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::cli {
namespace {

constexpr int kReportFd = 3;

bool is_readable(const std::string& path) {
  return access(path.c_str(), R_OK) == 0;
}

std::string envvars_of(const CheckOptions& options) {
  if (!options.envvars.empty()) return options.envvars;
  const std::string& config = options.config_file;
  const auto slash = config.rfind('/');
  const std::string folder = slash == config.npos ? PYHOST_HTTPD_CONF_DIR : config.substr(0, slash);
  return folder + "/envvars";
}

std::vector<std::string> command_of(const CheckOptions& options) {
  std::vector<std::string> command;
  if (const std::string envvars = envvars_of(options); is_readable(envvars)) {
    command = {"/bin/sh", "-c", R"(. "$0" && exec "$@")", envvars};
  }
  command.insert(command.end(), {options.httpd_program, "-t", "-D", control::kCheckDefine});
  if (!options.config_file.empty()) command.insert(command.end(), {"-f", options.config_file});
  for (const std::string& define : options.defines) command.insert(command.end(), {"-D", define});
  return command;
}

[[noreturn]] void become_httpd(const std::vector<std::string>& command, const Variables& variables,
                               int report, int output) {
  // The report's pipe may lie where others have to go.
  const int report_out = fcntl(report, F_DUPFD_CLOEXEC, kReportFd + 1);
  const int said_out = fcntl(output, F_DUPFD_CLOEXEC, kReportFd + 1);
  dup2(said_out, STDOUT_FILENO);
  dup2(said_out, STDERR_FILENO);
  dup2(report_out, kReportFd);
  setenv(control::kCheckDescriptor, std::to_string(kReportFd).c_str(), 1);
  for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execv(arguments.front(), arguments.data());
  dprintf(STDERR_FILENO, "%s cannot be run: %s\n", arguments.front(), std::strerror(errno));
  _exit(1);
}

void read_both(int report, int said, HttpdTestRun& run) {
  std::array<pollfd, 2> ends{pollfd{.fd = report, .events = POLLIN, .revents = 0},
                             pollfd{.fd = said, .events = POLLIN, .revents = 0}};
  std::array<char, 16'384> buffer;
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (poll(ends.data(), ends.size(), -1) < 0 && errno != EINTR) return;
    for (pollfd& end : ends) {
      if (end.fd < 0 || end.revents == 0) continue;
      const ssize_t got = read(end.fd, buffer.data(), buffer.size());
      if (got <= 0) {
        end.fd = -1;
        continue;
      }
      (&end == ends.data() ? run.report : run.said)
          .append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
}

}  // namespace

base::Result<HttpdTestRun> run_httpd_test(const CheckOptions& options, const Variables& variables) {
  PH_TRY(report, os::make_pipe());
  PH_TRY(said, os::make_pipe());
  const auto command = command_of(options);
  const pid_t pid = fork();
  if (pid < 0) return base::fail(fmt::format("fork: {}", std::strerror(errno)));
  if (pid == 0) become_httpd(command, variables, report.write_end.get(), said.write_end.get());
  report.write_end.reset();
  said.write_end.reset();
  HttpdTestRun run;
  read_both(report.read_end.get(), said.read_end.get(), run);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) run.exit_code = WEXITSTATUS(status);
  return run;
}

}  // namespace pyhost::cli
