// `pyhost build-plugin`.
#pragma once

#include "cli/build_plugin_options.h"

namespace pyhost::cli {

// Builds the engine plugin for a Python and puts it where the module looks for it, or says in one
// sentence what is missing. Needs CMake and a C++ compiler: the one that has built the module, for
// both share C++ types. Returns the exit code.
int build_plugin(const BuildPluginOptions& options);

}  // namespace pyhost::cli
