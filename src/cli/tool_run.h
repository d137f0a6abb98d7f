// Runs a program of others to its end.
#pragma once

#include <string>
#include <vector>

#include "pyhost/base/result.h"

namespace pyhost::cli {

struct ToolRun {
  bool succeeded = false;
  std::string output;  // stdout and stderr as they came
};

// The first argument is looked up in PATH. Fails when there is no such program.
base::Result<ToolRun> run_tool(const std::vector<std::string>& arguments);

}  // namespace pyhost::cli
