// Running a program to its end.
#pragma once

#include <string>
#include <vector>

#include "harness/process.h"

namespace pyhost::test {

struct CommandResult {
  int exit_code = -1;  // -1: ended by a signal, or not in time
  std::string output;  // stdout and stderr

  bool ok() const noexcept { return exit_code == 0; }
};

// Shown when an assertion on a result fails.
std::ostream& operator<<(std::ostream& out, const CommandResult& result);

// Runs a program as the user that runs the test. The first argument is the program's path.
// `environment` is added to a bare one whose HOME holds nothing.
CommandResult run_command(const std::vector<std::string>& arguments,
                          const Environment& environment = {});

// Runs a program as the user that httpd's children run as, so that they can use the files it
// leaves.
CommandResult run_as_server_user(const std::vector<std::string>& arguments,
                                 const Environment& environment = {});

}  // namespace pyhost::test
