// Which Python environment a configured home means, checked before Python is started.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pyhost/base/result.h"

namespace pyhost::plugin {

// How to start Python for a home; see EngineSettings.
struct PythonHome {
  std::string program;  // <venv>/bin/python for a virtualenv, otherwise ""
  std::string home;     // the prefix of a base installation, otherwise ""
};

// Accepts the root of a virtualenv, its bin/ or lib/ folder, a path to bin/python, or the prefix of
// a base installation, and finds the root by itself. Fails with a sentence that says what the path
// is and what is needed: missing, not readable by this process, not a Python environment, or an
// environment of another Python than `python_version` ("3.11").
base::Result<PythonHome> inspect_python_home(std::string_view path,
                                             std::string_view python_version);

// An environment as it lies there, whatever its version.
struct PythonEnvironment {
  std::string root;
  std::string version;  // "3.12"
  bool is_virtualenv = false;

  // Its interpreter as one would call it.
  std::string program() const;
};

// The one that `path` means, as above; nothing when there is none, when it may not be read, or for
// an installation of several versions.
std::optional<PythonEnvironment> find_environment(std::string_view path);

}  // namespace pyhost::plugin
