#include "harness/command.h"

#include <sys/wait.h>
#include <unistd.h>

#include <ostream>

#include "harness/temp_dir.h"

namespace pyhost::test {

CommandResult run_command(const std::vector<std::string>& arguments,
                          const Environment& environment) {
  const TempDir folder;
  ProcessSpec spec{
      .arguments = arguments,
      .environment = {{"PATH", "/usr/bin:/bin"}, {"LANG", "C.UTF-8"}, {"HOME", folder.path()}},
      .output_file = folder.path() + "/output.txt"};
  spec.environment.insert(spec.environment.end(), environment.begin(), environment.end());

  Process process(spec);
  const auto status = process.wait_status();
  CommandResult result{.output = read_file(spec.output_file)};
  if (status && WIFEXITED(*status)) result.exit_code = WEXITSTATUS(*status);
  return result;
}

CommandResult run_as_server_user(const std::vector<std::string>& arguments,
                                 const Environment& environment) {
  std::vector<std::string> command;
  if (geteuid() == 0) {
    command = {"/usr/bin/setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups"};
  }
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_command(command, environment);
}

std::ostream& operator<<(std::ostream& out, const CommandResult& result) {
  return out << "exit code " << result.exit_code << '\n' << result.output;
}

}  // namespace pyhost::test
