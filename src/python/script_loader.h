// Imports WSGI scripts and modules, once each, and again when a script file changes.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "pyhost/base/log.h"
#include "pyhost/base/result.h"
#include "pyhost/gateway/engine.h"
#include "python/attached.h"
#include "python/error.h"
#include "python/ref.h"

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

// How a load went.
struct LoadReport {
  bool imported = false;  // it was not there before
  // The script has changed since its import and is not to be imported again; nothing was logged.
  bool outdated = false;
  bool import_failed = false;
  std::string failure;  // that, or what else is wrong with it; it was logged once
};

// Is told when a load imports, or waits for another one that does; attached.
class ImportObserver {
 public:
  virtual void import_begins() noexcept = 0;
  virtual void import_ended() noexcept = 0;
  // Which thread runs the script, when it is not, or no longer, another than that of the load.
  // Called by it.
  virtual void import_runs_on(unsigned long thread) noexcept = 0;

 protected:
  ~ImportObserver() = default;
};

// One per interpreter; thread-safe. The import lock is per script: threads that want a script
// which another thread imports wait for it, without holding the interpreter, and nobody else does.
// Until the file of a failed import changes, or a pause that grows from 1 s to 30 s is over, every
// request meets the same failure. The import after that begins as the first one did (ImportTraces),
// unless other scripts share the interpreter; with ChangedScripts::refused there is no other
// import. A script may define reload_required(path): what it says counts like a change of the file.
class ScriptLoader {
 public:
  // The rules outlive the loader.
  explicit ScriptLoader(LoadingRules& rules) : rules_(rules) {}

  // The target's callable, or the module when it names none; imports or re-imports first when that
  // is due. Null when the report says why not.
  Ref load(Attached& py, const gateway::Target& target, base::LogSink& log, LoadReport& report,
           ImportObserver* observer_or_null);

  // What is imported, without the application group's name. Needs no interpreter.
  std::vector<gateway::Script> imported() const;

 private:
  struct Failure {
    std::string summary;      // "ValueError: text"
    base::FileIdentity file;  // that failed
    base::Clock::time_point retry_at;
    std::chrono::seconds pause;
  };

  struct Script {
    std::mutex mutex;
    std::condition_variable loaded;
    // Guarded by mutex:
    bool loading = false;
    Ref module;
    base::FileIdentity file;  // that was imported, or could not be
    // One whose difference does not count, and the moment up to which it did not; see LoadingRules.
    std::optional<base::FileIdentity> accepted_file;
    std::int64_t accepted_until_us = 0;
    std::optional<Failure> failure;
    Ref reload_required;           // the module's function of that name, if it has one
    bool used = false;             // by a request since its import
    std::int64_t imported_us = 0;  // since the epoch
    gateway::TargetKind kind{};
    std::string callable;  // that it was imported for, if it has that
  };

  // What an import has come to: the module, or why there is none.
  struct Import {
    Ref module;
    base::Message message = base::Message::none;
    std::string summary;
    std::string details;  // traceback
    std::string advice;   // see PythonError
    bool refuses_subinterpreters = false;
  };

  // A file's text, or why it is not to be had.
  struct Source {
    base::Message message = base::Message::none;
    std::string summary;
    std::string text;  // or details
  };

  Script& find(const gateway::Target& target);
  Ref current_module(Attached& py, Script& script, const gateway::Target& target,
                     base::LogSink& log, LoadReport& report, ImportObserver* observer_or_null);
  Ref question_locked(Script& script, const gateway::Target& target) const;
  bool wants_reload(Attached& py, PyObject* question, const gateway::Target& target,
                    base::LogSink& log) const;
  bool has_changed(Attached& py, Script& script, const std::string& path);
  static Ref outcome_of_import(Script& script, LoadReport& report);
  Ref load_now(Attached& py, Script& script, const gateway::Target& target,
               const base::FileIdentity& file, base::LogSink& log, LoadReport& report,
               ImportObserver* observer_or_null);
  // The same; after a failure without what it has left behind, if nothing else needs that.
  Import import_cleanly(Attached& py, const gateway::Target& target,
                        ImportObserver* observer_or_null) noexcept;
  Import import(Attached& py, const gateway::Target& target,
                ImportObserver* observer_or_null) const;
  Import import_on_main_thread(Attached& py, const gateway::Target& target,
                               ImportObserver* observer_or_null) const;
  Import import_here(Attached& py, const gateway::Target& target) const;
  Source read_source(const std::string& path) const;
  Import import_file(Attached& py, const std::string& path) const;
  // PRECONDITION: an exception is pending.
  static Import failed_import(Attached& py, base::Message message);
  static void report_broken_callable(Attached& py, const gateway::Target& target,
                                     base::LogSink& log, LoadReport& report);
  Ref callable_in(Attached& py, PyObject* module, const gateway::Target& target, base::LogSink& log,
                  LoadReport& report) const;
  void note_import(Script& script, const gateway::Target& target, bool has_callable);

  LoadingRules& rules_;
  // The interpreter's lock protects these: loads that have begun, those of them that have not
  // ended, and scripts that are there.
  unsigned loads_begun_ = 0;
  unsigned loads_running_ = 0;
  unsigned scripts_loaded_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Script>, std::less<>> scripts_;  // guarded by mutex_
};

}  // namespace pyhost::python
