// What `pyhost build-plugin` is told.
#pragma once

#include <string>

namespace pyhost::cli {

struct BuildPluginOptions {
  std::string python;  // an interpreter, that of a virtualenv too
  std::string source;  // of mod_pyhost; "" for what was installed, or the checkout of this program
  std::string output;  // a folder; "" for that of the module
};

}  // namespace pyhost::cli
