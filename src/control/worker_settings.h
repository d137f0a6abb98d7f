// What a worker process is told at its start, by descriptor: the supervisor writes it, the worker
// reads it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/thread.h"
#include "pyhost/base/log.h"
#include "pyhost/base/result.h"
#include "pyhost/gateway/engine.h"
#include "pyhost/gateway/group_secret.h"
#include "pyhost/gateway/target.h"
#include "settings/process_group.h"

namespace pyhost::control {

// The descriptors a worker inherits besides 0 to 2. All others are close-on-exec.
inline constexpr int kWorkerListeningFd = 3;
inline constexpr int kWorkerStatusFd = 4;
inline constexpr int kWorkerSettingsFd = 5;
inline constexpr int kWorkerBoardFd = 6;    // good for reading only
inline constexpr int kWorkerReportsFd = 7;  // its own part of the scoreboard
inline constexpr int kWorkerFds = 8;        // how many, 0 to 2 included

// What the configuration lets a process group run, so that nothing in a request can choose another
// file. Empty lists serve nothing.
struct ServedTargets {
  std::vector<std::string> scripts;  // absolute paths
  std::vector<std::string> folders;  // absolute, ending in '/': every file below them
  std::vector<std::string> modules;  // "package.module"

  bool serves(const gateway::Target& target) const noexcept;
};

// A script that is imported before the first request.
struct Preload {
  std::string application_group;
  std::string script;    // a path, or "package.module:callable"
  std::string callable;  // that a path has to define; "" for none

  bool operator==(const Preload&) const = default;
};

// Of the target that it imports.
std::uint64_t script_key(const Preload& preload) noexcept;

// What ends a worker, and how long that may take. 0 switches a limit off; only of graceful_timeout
// it means that requests are not waited for.
struct WorkerLimits {
  std::chrono::milliseconds request_timeout{0};
  std::chrono::milliseconds interrupt_timeout{0};
  std::chrono::milliseconds deadlock_timeout{0};
  std::chrono::milliseconds startup_timeout{0};
  std::chrono::milliseconds inactivity_timeout{0};
  std::chrono::milliseconds restart_interval{0};
  std::chrono::milliseconds graceful_timeout{15'000};
  std::chrono::milliseconds eviction_timeout{15'000};  // instead of it, after SIGUSR1
  std::chrono::milliseconds shutdown_timeout{5'000};   // for the interpreters, after that
  std::uint64_t requests_max = 0;                      // the worker is replaced after about so many
  std::uint64_t resident_bytes_max = 0;

  bool operator==(const WorkerLimits&) const = default;
};

// What the options of a group come to.
WorkerLimits limits_of(const settings::ProcessGroup& group) noexcept;

struct WorkerSettings {
  gateway::EngineSettings engine;  // with the process group's name
  std::string plugin;              // the path of the engine plugin
  std::string locale;              // for all categories; "" to leave it to Python
  unsigned threads = 1;            // 0: runs nothing but what is preloaded
  std::size_t stack_bytes = base::kPythonStackBytes;
  int listen_backlog = 100;
  uid_t httpd_uid = 0;          // the only user whose connections are served
  gateway::GroupSecret secret;  // and that they have to begin with
  base::LogLevel log_level = base::LogLevel::warn;
  std::chrono::milliseconds socket_timeout{60'000};
  std::chrono::milliseconds response_socket_timeout{0};  // 0: socket_timeout
  WorkerLimits limits;
  std::uint32_t slot_index = 0;
  std::uint32_t row_index = 0;     // of the scoreboard, at its start
  std::uint32_t generation = 1;    // which start of a worker in its slot this is
  std::uint32_t report_index = 0;  // which of the slot's reports on the scoreboard it writes
  ServedTargets targets;
  std::vector<Preload> preloads;
  // Of a worker that replaces one: what that has imported. Files that are gone are left out.
  std::vector<Preload> predecessor_imports;
  bool imports_required = false;  // the worker does not start when an import fails
};

// JSON, for kWorkerSettingsFd.
std::string to_json(const WorkerSettings& settings);
// Everything that to_json() writes has to be there and of its type.
base::Result<WorkerSettings> parse_worker_settings(std::string_view json);

}  // namespace pyhost::control
