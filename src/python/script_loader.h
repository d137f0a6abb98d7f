// Imports WSGI scripts and modules, once each, and again when a script file changes.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pyhost/base/log.h"
#include "pyhost/gateway/engine.h"
#include "pyhost/gateway/engine_watch.h"
#include "python/attached.h"
#include "python/loading_rules.h"
#include "python/ref.h"
#include "python/script_source.h"
#include "python/script_state.h"

namespace pyhost::python {

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

// One per interpreter; thread-safe. What is to be done for a request, ScriptState says. The import
// lock is per script: threads that want a script which another thread imports wait for it, without
// holding the interpreter, and nobody else does. Until the file of a failed import changes, or a
// pause that grows from 1 s to 30 s is over, every request meets the same failure. The import after
// that begins as the first one did (ImportTraces), unless other scripts share the interpreter; with
// ChangedScripts::refused there is no other import. A script may define reload_required(path): what
// it says counts like a change of the file.
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
  // Applications by the factories that have made them, "create_app()".
  using Made = std::map<std::string, Ref, std::less<>>;

  struct Script {
    std::mutex mutex;
    std::condition_variable loaded;
    // Guarded by mutex:
    ScriptState state;
    Ref module;
    Ref reload_required;  // the module's function of that name, if it has one
    Made made;            // of this module
    bool making = false;  // a factory is being called
    gateway::TargetKind kind{};
    std::string callable;  // that it was imported for, if it has that
  };

  // One call of load().
  struct Load {
    Attached& py;
    const gateway::Target& target;
    base::LogSink& log;
    LoadReport& report;
    ImportObserver* const observer_or_null;
    ScriptState::Wanted wanted;
  };
  using ScriptLock = std::unique_lock<std::mutex>;

  Script& find(const gateway::Target& target);
  // These do what a step of the state says; none returns with the script locked.
  Ref current_module(Load& load, Script& script);
  static void wait_for_import(Load& load, Script& script);
  std::optional<Ref> ask(Load& load, Script& script, ScriptLock lock);
  static bool wants_reload(Load& load, PyObject* question);
  bool has_changed(Load& load, Script& script) const;
  static Ref settle(Load& load, Script& script);
  static Ref claim_application(Load& load, Script& script);
  static Ref made_application(Load& load, Script& script, const Ref& module);
  static Ref back_off(Load& load, const std::string& failure);
  Ref import_now(Load& load, Script& script);

  static void log_import(Load& load, bool again);
  static void log_failure(Load& load, const Import& import, const std::string& first_failure);
  // After a failure without what it has left behind, if nothing else needs that.
  Import import_cleanly(Load& load) noexcept;
  Import import_on_main_thread(Load& load) const;
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
