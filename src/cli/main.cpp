#include "cli/build_plugin.h"
#include "cli/check.h"
#include "cli/command_line.h"
#include "cli/operate.h"
#include "serve/serve.h"
#include "serve/setup.h"

int main(int argc, char** argv) {
  const auto command = pyhost::cli::parse_command_line(argc, argv);
  if (command.operate) return pyhost::cli::operate(*command.operate);
  if (command.check) return pyhost::cli::check(*command.check);
  if (command.build_plugin) return pyhost::cli::build_plugin(*command.build_plugin);
  if (command.setup) return pyhost::serve::set_up(*command.setup);
  return command.serve ? pyhost::serve::serve(*command.serve) : command.exit_code;
}
