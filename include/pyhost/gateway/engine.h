// Runs Python applications: the one interface between httpd or a worker and CPython.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pyhost/base/log.h"
#include "pyhost/base/result.h"
#include "pyhost/gateway/build_id.h"
#include "pyhost/gateway/engine_watch.h"
#include "pyhost/gateway/exchange.h"
#include "pyhost/gateway/script_owner.h"
#include "pyhost/gateway/target.h"

namespace pyhost::gateway {

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
  bool interactive = false;  // httpd -X: stdin and stdout stay the terminal's, for a debugger
  bool destroy_interpreters = true;  // run threading shutdown and atexit at the end
  bool case_sensitive_paths = true;
  ScriptOwner script_owner;
  ChangedScripts changed_scripts = ChangedScripts::reimported;
  ThreadSignals thread_signals = ThreadSignals::blocked;
  unsigned interpreters_max = 0;  // sub-interpreters; 0 = no limit
  bool multithread = true;
  bool multiprocess = true;
  int processes_max = 1;
  int threads_max = 1;
  std::array<int, 3> server_version{};  // httpd's
};

// How a run ended, for whoever has to finish the reply.
struct Outcome {
  enum class Kind {
    complete,  // a part with Then::end was sent, or the client has gone
    refused,   // nothing was sent: answer with `status`
    broken,    // the head was sent and the rest never comes: the client must be able to see that
    outdated,  // nothing was run, read or sent: see ChangedScripts::refused
  };
  Kind kind = Kind::complete;
  int status = 0;
  unsigned retry_after_seconds = 0;  // of a 503: what Retry-After is to say; 0 = nothing
  // Of a refusal: this process could not import the script, now or a moment ago, or with
  // ChangedScripts::refused not have its callable. Another process may be able to.
  bool import_failed = false;
  std::string why = {};  // with import_failed: a sentence
};

// One per process. Every function may be called from any thread that has a Python-sized stack
// (base::kPythonStackBytes); none throws. The process is not forked afterwards.
class Engine {
 public:
  virtual ~Engine() = default;

  // Runs the target's application for one request. Blocks until the reply is complete or broken;
  // failures are logged to the exchange. The first call for an application group makes its
  // interpreter, the first for a script imports it.
  virtual Outcome run(const Target& target, Exchange& exchange) noexcept = 0;

  // Makes the interpreter and imports the script now, as a first request would; `sink` gets
  // the traceback of a failure. The error is its last line in a sentence. Without a callable the
  // script need not define any.
  virtual base::Result<> preload(const Target& target, base::LogSink& sink) noexcept = 0;

  // Has the functions called that applications have subscribed for the end of the process, in every
  // interpreter, on threads of the engine's own; returns at once. Requests may go on meanwhile.
  // Applications get `reason` as shutdown_reason. Only the first call counts; without one nobody is
  // told. To be called by the thread that calls stop().
  virtual void announce_stop(std::string_view /*reason*/) noexcept {}

  // Ends all interpreters at the same time: what was announced, threading shutdown and atexit
  // functions, at most for `budget`, and says in one record what was in the way of those that have
  // not ended. Then it keeps Python from running for the rest of the process's life. PRECONDITION:
  // no run() is in progress or to come; runs that are left over from a forced exit never return.
  virtual void stop(std::chrono::milliseconds budget) noexcept = 0;

  // For whoever watches over what this engine runs; null when it runs nothing itself. Lives as long
  // as the engine and is not used after stop().
  virtual EngineWatch* watch() noexcept { return nullptr; }
};

// --- The plugin's side of the border -----------------------------------------------------------

// What a plugin exports, as the C function kEnginePluginSymbol returning const EnginePlugin*. Host
// and plugin are one build: `build` must be equal on both sides before anything else is used.
struct EnginePlugin {
  const char* build;           // kBuildId
  const char* python_version;  // "3.11", of the headers it was built with
  // Starts Python in this process. `server_log` outlives the engine. At most one engine lives in
  // a process, and none after it was stopped.
  base::Result<std::unique_ptr<Engine>> (*start)(EngineSettings settings,
                                                 base::LogSink& server_log);
};

inline constexpr char kEnginePluginSymbol[] = "pyhost_engine_plugin";

}  // namespace pyhost::gateway
