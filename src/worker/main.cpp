// pyhost-worker: serves the requests of one process group. Started by pyhost-supervisor only; by
// the rehearsal of a start with an option and a plugin, only to find out whether that can be
// loaded; and with another one to be told its build.
#include <fmt/core.h>

#include <string_view>

#include "control/program_options.h"
#include "control/worker_descriptors.h"
#include "pyhost/gateway/build_id.h"
#include "worker/worker_process.h"

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == pyhost::control::kShowBuild) {
    fmt::print("{}\n", pyhost::gateway::kBuildId);
    return 0;
  }
  const bool tries = argc == 4 && std::string_view(argv[1]) == pyhost::control::kTryPlugin;
  if (tries) return pyhost::worker::try_plugin(argv[2], argv[3]);
  pyhost::worker::run_worker();
}
