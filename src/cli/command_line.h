// Reads the command line.
#pragma once

#include <optional>

#include "cli/build_plugin_options.h"
#include "cli/check_options.h"
#include "cli/operate_options.h"
#include "serve/serve_options.h"
#include "serve/setup.h"

namespace pyhost::cli {

struct CommandLine {
  // At most one of them.
  std::optional<serve::ServeOptions> serve;
  std::optional<serve::SetupOptions> setup;
  std::optional<OperateOptions> operate;
  std::optional<CheckOptions> check;
  std::optional<BuildPluginOptions> build_plugin;
  int exit_code = 0;  // without a command to run: help was shown, or a mistake was
};

CommandLine parse_command_line(int argc, char** argv);

}  // namespace pyhost::cli
