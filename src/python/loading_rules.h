// How scripts are imported, throughout a process.
#pragma once

#include <atomic>
#include <cstdint>

#include "pyhost/gateway/engine.h"

namespace pyhost::python {

// What all loaders of a process share.
struct LoadingRules {
  // Names of modules depend on the letter case of paths only when `case_sensitive_paths`.
  bool case_sensitive_paths = true;
  gateway::ChangedScripts changed_scripts = gateway::ChangedScripts::reimported;
  gateway::ScriptOwner script_owner = {};
  // In the main interpreter: only there can signal.signal() be called.
  bool imports_on_main_thread = false;
  // Files that have changed up to then, microseconds since the epoch, count as unchanged.
  std::atomic<std::int64_t> accepted_until_us = 0;
  std::atomic<unsigned> imports = 0;  // that were successful
};

}  // namespace pyhost::python
