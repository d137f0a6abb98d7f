// Python in this process: runs applications, and has a life of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pyhost/gateway/event_loops.h"
#include "pyhost/gateway/logging.h"
#include "pyhost/gateway/python_life.h"
#include "pyhost/gateway/runner.h"
#include "pyhost/gateway/script_owner.h"
#include "pyhost/gateway/server_view.h"

namespace pyhost::gateway {

class ChannelLoops;

// The version of mod_wsgi whose Python-visible interface applications find here.
inline constexpr std::array<int, 3> kModWsgiApi{6, 0, 5};

// What becomes of a script that has changed since its import.
enum class ChangedScripts {
  reimported,  // in its interpreter, by the next request
  // run() gives Outcome::Kind::outdated: the process is to be replaced. Nor is a script imported
  // again whose import has failed.
  refused,
};

// Whether the process's signals may reach the engine's own threads that run applications' code.
enum class ThreadSignals {
  open,
  // As httpd has it in its children. What applications fork off or start begins without a signal
  // blocked, and without the process's handlers.
  blocked,
};

// What is different for some interpreters of a process.
struct InterpreterOptions {
  std::optional<std::string> application_group;  // nothing: all
  std::vector<std::string> python_path;          // goes before what others have added
  std::optional<double> switch_interval_seconds;
  std::optional<bool> restrict_stdin;
  std::optional<bool> restrict_stdout;
  std::optional<bool> restrict_signal;
  std::optional<bool> own_lock;

  bool operator==(const InterpreterOptions&) const = default;
};

// httpd, as applications see it, wherever they run.
struct ServerFacts {
  std::array<int, 3> built_for{};  // the version that the module is built for
  std::string description;         // "Apache/2.4.62 (Debian)"
  std::string build_date;
  std::string mpm;
  int processes_max = 1;
  int threads_max = 1;  // of one of its processes

  bool operator==(const ServerFacts&) const = default;
};

// Where applications' metrics of the process group are, and what of it is this process's.
struct MetricsMemory {
  // As appmetrics::Memory has it, for as long as the process; empty: there is none.
  std::span<std::byte> bytes;
  // The rest is an appmetrics::Seat.
  std::uint32_t slot = 0;
  std::uint32_t lane = 0;
  std::uint32_t owner = 0;
};

// How one process runs Python; fixed for its life. Defaults are in settings.h.
struct EngineSettings {
  std::string process_group;   // "" when embedded
  std::string python_program;  // what sys.executable is to be; "" = the plugin's own Python
  std::string python_home;     // a base installation's prefix; "" for a virtualenv or none
  std::string first_path;      // of sys.path, whatever else is on it; "" for none
  // Site directories, put before the rest of sys.path; what is on it already stays where it is.
  std::vector<std::string> python_path;
  int optimize = 0;
  std::vector<std::string> warnings;
  std::optional<std::uint32_t> hash_seed;  // nothing: random
  bool write_bytecode = true;
  std::optional<double> switch_interval_seconds;
  bool restrict_stdin = false;
  bool restrict_stdout = false;
  bool restrict_signal = true;
  // Sub-interpreters do not share the main interpreter's lock, where CPython has others (3.12).
  bool own_lock = false;
  Logging logging;
  MetricsMemory metrics;
  // What is measured with the package prometheus_client goes there, too.
  bool metrics_of_prometheus_client = false;
  bool interactive = false;  // httpd -X: stdin and stdout stay the terminal's, for a debugger
  bool destroy_interpreters = true;  // run threading shutdown and atexit at the end
  bool case_sensitive_paths = true;
  ScriptOwner script_owner;
  ChangedScripts changed_scripts = ChangedScripts::reimported;
  ThreadSignals thread_signals = ThreadSignals::blocked;
  EventLoops event_loops;
  unsigned interpreters_max = 0;  // sub-interpreters; 0 = no limit
  bool multithread = true;
  bool multiprocess = true;
  int processes_max = 1;
  int threads_max = 1;
  std::array<int, 3> server_version{};  // httpd's
  ServerFacts server;
  // httpd's scoreboard, where applications in its own processes are to see it.
  const ServerView* server_view_or_null = nullptr;
  std::vector<InterpreterOptions> interpreters;  // a later one counts before an earlier one
};

// The settings as they are for the interpreter of that application group.
EngineSettings settings_for_interpreter(EngineSettings settings,
                                        std::string_view application_group);

// One per process. Every function may be called from any thread that has a Python-sized stack
// (base::kPythonStackBytes); none throws. The process is not forked afterwards.
class Engine : public Runner, public PythonLife {
 public:
  // Null when it runs no applications with event loops.
  virtual ChannelLoops* loops() noexcept { return nullptr; }
};

}  // namespace pyhost::gateway
