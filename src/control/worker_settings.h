// What httpd has found out for the workers of a process group: all that neither the group's options
// say nor a single worker differs in.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_rules.h"
#include "pyhost/base/result.h"
#include "pyhost/gateway/engine.h"
#include "pyhost/gateway/group_secret.h"
#include "pyhost/gateway/target.h"

namespace pyhost::control {

// What the configuration lets a process group run, so that nothing in a request can choose another
// file. Empty lists serve nothing.
struct ServedTargets {
  std::vector<std::string> scripts;   // absolute paths
  std::vector<std::string> folders;   // absolute, ending in '/': every file below them
  std::vector<std::string> patterns;  // of files, and of folders of files: see base/path_pattern.h
  std::vector<std::string> modules;   // "package.module"
  // Hook scripts, files and modules, of which questions are asked. An application cannot be asked
  // and a hook script cannot be run, unless the configuration names the same one for both.
  std::vector<std::string> hooks;

  bool serves(const gateway::Target& target) const;
  bool answers(const gateway::Target& target) const noexcept;
};

struct WorkerSettings {
  gateway::EngineSettings engine;  // but for what the options say, and which Python it is
  std::string plugin;              // the path of the engine plugin, unless the group has a Python
  uid_t httpd_uid = 0;             // the only user whose connections are served
  gateway::GroupSecret secret;     // and that they have to begin with
  base::LogRules log;              // of the process
  std::chrono::milliseconds socket_timeout{60'000};  // socket-timeout=, or httpd's own
  ServedTargets targets;
  std::vector<gateway::Script> preloads;
};

// A JSON text, which the supervisor passes on as it is.
std::string to_json(const WorkerSettings& settings);
// Everything that to_json() writes has to be there and of its type.
base::Result<WorkerSettings> parse_worker_settings(std::string_view text);

}  // namespace pyhost::control
