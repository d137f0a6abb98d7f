#include "python/script_loader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "base/clock.h"
#include "base/out_of_memory.h"
#include "base/scope_exit.h"
#include "os/fork_watch.h"
#include "pyhost/gateway/factory.h"
#include "python/callable_lookup.h"
#include "python/compat.h"
#include "python/context_scope.h"
#include "python/error.h"
#include "python/import_traces.h"

namespace pyhost::python {
namespace {

using base::LogLevel;
using base::Message;
using gateway::Target;
using gateway::TargetKind;
using Step = ScriptState::Step;

std::string failure_of(const Target& target, const std::string& summary) {
  return fmt::format("{} could not be imported: {}", phrase_of(target), summary);
}

// Null when the module does not define it, or is not to be asked: its own __getattr__ is not.
Ref question_in(Attached& py, PyObject* module) {
  if (!PyModule_Check(module)) return {};
  const Ref name = Ref::steal(PyUnicode_FromString("reload_required"));
  Ref found = name ? get_item(PyModule_GetDict(module), name.get()) : Ref();
  if (!found) discard_error(py);
  return found && PyCallable_Check(found.get()) ? std::move(found) : Ref();
}

// Tells whoever wants to know.
class ImportScope {
 public:
  explicit ImportScope(ImportObserver* observer_or_null) noexcept : observer_(observer_or_null) {
    if (observer_ != nullptr) observer_->import_begins();
  }
  ImportScope(const ImportScope&) = delete;
  ImportScope& operator=(const ImportScope&) = delete;
  ~ImportScope() {
    if (observer_ != nullptr) observer_->import_ended();
  }

 private:
  ImportObserver* const observer_;
};

}  // namespace

Ref ScriptLoader::load(Attached& py, const Target& target, base::LogSink& log, LoadReport& report,
                       ImportObserver* observer_or_null) {
  Load load{py, target, log, report, observer_or_null, {}};
  load.wanted.file = target.script_file;
  load.wanted.reloading = target.reloading == gateway::Reloading::on;
  if (load.wanted.file == base::kNoFile && target.kind == TargetKind::file) {
    load.wanted.file = base::identity_of(std::string(target.script));
  }
  Script& script = find(target);
  Ref found = current_module(load, script);
  if (found && gateway::is_factory(target.callable)) {
    found = made_application(load, script, found);
  } else if (found && !target.callable.empty()) {
    found = callable_in(py, found.get(), target, log, report.failure);
  }
  if (report.imported) note_import(script, target, static_cast<bool>(found));
  return found;
}

void ScriptLoader::note_import(Script& script, const Target& target, bool has_callable) {
  {
    const std::lock_guard lock(script.mutex);
    script.kind = target.kind;
    script.callable = has_callable ? target.callable : std::string_view();
  }
  ++rules_.imports;
}

std::vector<gateway::Script> ScriptLoader::imported() const {
  std::vector<gateway::Script> imported;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, script] : scripts_) {
    const std::lock_guard script_lock(script->mutex);
    if (!script->module) continue;
    imported.push_back({.script = name, .callable = script->callable, .kind = script->kind});
  }
  return imported;
}

ScriptLoader::Script& ScriptLoader::find(const Target& target) {
  const std::lock_guard lock(mutex_);
  const auto found = scripts_.find(target.script);
  if (found != scripts_.end()) return *found->second;
  return *scripts_.emplace(target.script, std::make_unique<Script>()).first->second;
}

Ref ScriptLoader::current_module(Load& load, Script& script) {
  while (true) {
    ScriptLock lock(script.mutex);
    load.wanted.accepted_until_us = rules_.accepted_until_us;
    // Only what has failed has to do with the time.
    const auto now = script.state.failure_or_null() ? base::Clock::now() : base::TimePoint();
    switch (script.state.next(rules_.changed_scripts, load.wanted, now)) {
      case Step::reuse:
        return script.module.clone();
      case Step::wait:
        lock.unlock();
        wait_for_import(load, script);
        break;
      case Step::ask:
        if (auto answer = ask(load, script, std::move(lock))) return *std::move(answer);
        break;
      case Step::import:
        lock.unlock();
        return import_now(load, script);
      case Step::look:
        lock.unlock();
        load.report.outdated = has_changed(load, script);
        return load.report.outdated ? Ref() : settle(load, script);
      case Step::settle:
        lock.unlock();
        return settle(load, script);
      case Step::back_off: {
        const std::string failure = *script.state.failure_or_null();
        lock.unlock();
        return back_off(load, failure);
      }
      case Step::outdated:
        load.report.outdated = true;
        return {};
    }
  }
}

void ScriptLoader::wait_for_import(Load& load, Script& script) {
  const ImportScope waiting(load.observer_or_null);
  const DetachScope detached(load.py);
  ScriptLock lock(script.mutex);
  script.loaded.wait(lock, [&] { return !script.state.importing(); });
}

// The module's reload_required(), and does what it says; nothing when another import has come
// meanwhile.
std::optional<Ref> ScriptLoader::ask(Load& load, Script& script, ScriptLock lock) {
  const Ref question = script.reload_required.clone();
  const std::uint64_t number = script.state.import_number();
  // The last reference to a module runs Python code, so it goes without the lock.
  Ref module = script.module.clone();
  lock.unlock();
  if (!wants_reload(load, question.get())) return module;
  lock.lock();
  const Step step = script.state.reload(rules_.changed_scripts, number);
  lock.unlock();
  load.report.outdated = step == Step::outdated;
  if (load.report.outdated) return Ref();
  if (step != Step::import) return std::nullopt;
  return import_now(load, script);
}

bool ScriptLoader::wants_reload(Load& load, PyObject* question) {
  const gateway::Target& target = load.target;
  const std::string_view asked = target.resource.empty() ? target.script : target.resource;
  const Ref path =
      Ref::steal(PyUnicode_DecodeFSDefaultAndSize(asked.data(), Py_ssize_t(asked.size())));
  const Ref answer = Ref::steal(path ? PyObject_CallOneArg(question, path.get()) : nullptr);
  const int wants = answer ? PyObject_IsTrue(answer.get()) : -1;
  if (wants >= 0) return wants == 1;
  const std::string traceback = PythonError::take(load.py).traceback(load.py);
  const std::string text = fmt::format("reload_required() of {} failed; it is not reloaded\n{}",
                                       phrase_of(load.target), traceback);
  const DetachScope detached(load.py);
  load.log.log(LogLevel::error, Message::reload_required_failed, text);
  return false;
}

// What httpd has seen of the file may be older than what was imported, so it is looked at again.
bool ScriptLoader::has_changed(Load& load, Script& script) const {
  const std::string path(load.target.script);
  base::FileIdentity file;
  std::int64_t changed_us = 0;
  {
    const DetachScope detached(load.py);
    file = base::identity_of(path);
    changed_us = base::last_change_us(path);
  }
  const std::lock_guard lock(script.mutex);
  return script.state.has_changed(file, changed_us, rules_.accepted_until_us);
}

// For what the one import that there was has come to.
Ref ScriptLoader::settle(Load& load, Script& script) {
  const std::lock_guard lock(script.mutex);
  if (const std::string* failure = script.state.failure_or_null()) {
    load.report.failure = failure_of(load.target, *failure);
  }
  load.report.import_failed = !script.module;
  return script.module.clone();
}

// Null when the caller is to make it: script.making is its own then.
Ref ScriptLoader::claim_application(Load& load, Script& script) {
  while (true) {
    {
      const ScriptLock lock(script.mutex);
      const auto known = script.made.find(load.target.callable);
      if (known != script.made.end()) return known->second.clone();
      if (!std::exchange(script.making, true)) return {};
    }
    const DetachScope detached(load.py);
    ScriptLock lock(script.mutex);
    script.loaded.wait(lock, [&] { return !script.making; });
  }
}

// It was made when the script was imported, unless that was for another callable of it.
Ref ScriptLoader::made_application(Load& load, Script& script, const Ref& module) {
  if (Ref known = claim_application(load, script)) return known;
  const base::ScopeExit let_others([&script] {
    {
      const std::lock_guard lock(script.mutex);
      script.making = false;
    }
    script.loaded.notify_all();
  });
  if (!callable_in(load.py, module.get(), load.target, load.log, load.report.failure)) return {};
  Import made = apply_factory(load.py, module.clone(), load.target);
  if (!made.application) {
    log_failure(load, made, "");
    return {};
  }
  const std::lock_guard lock(script.mutex);
  // Meanwhile another thread may have imported the script anew.
  if (script.module.get() == module.get()) {
    script.made.try_emplace(std::string(load.target.callable), made.application.clone());
  }
  return std::move(made.application);
}

Ref ScriptLoader::back_off(Load& load, const std::string& failure) {
  load.report.import_failed = true;
  load.report.failure = failure_of(load.target, failure);
  const DetachScope detached(load.py);
  load.log.log(LogLevel::error, Message::script_still_broken,
               load.report.failure +
                   " (its traceback was logged; it is tried again when the file changes, "
                   "or after a pause)");
  return {};
}

Ref ScriptLoader::import_now(Load& load, Script& script) {
  const ImportScope importing(load.observer_or_null);
  Import import = import_cleanly(load);
  Ref module = import.module.clone();
  const bool is_file = load.target.kind == TargetKind::file;
  Ref question = module && is_file ? question_in(load.py, module.get()) : Ref();
  std::string first_failure;
  Ref replaced;
  Made replaced_applications;
  {
    const base::ScopeExit tell_others([&script] { script.loaded.notify_all(); });
    const std::lock_guard lock(script.mutex);
    replaced = std::move(script.module);
    replaced_applications = std::exchange(script.made, {});
    std::swap(script.reload_required, question);
    if (module) {
      script.module = std::move(import.module);
      if (import.application) {
        script.made.emplace(load.target.callable, std::move(import.application));
      }
      script.state.imported(load.wanted, bool(script.reload_required), base::now_us());
    } else {
      first_failure = script.state.failed(load.wanted, import.summary, base::Clock::now());
    }
  }
  if (module) {
    log_import(load, bool(replaced));
  } else {
    log_failure(load, import, first_failure);
  }
  return module;
}

void ScriptLoader::log_import(Load& load, bool again) {
  load.report.imported = true;
  const std::string text = fmt::format("{} {} in {}", again ? "re-imported" : "imported",
                                       phrase_of(load.target), load.py.interpreter().phrase());
  const DetachScope detached(load.py);
  load.log.log(LogLevel::info, Message::script_loaded, text);
}

void ScriptLoader::log_failure(Load& load, const Import& import, const std::string& first_failure) {
  load.report.import_failed = true;
  load.report.failure = failure_of(load.target, import.summary);
  std::string text = fmt::format("{} (in {}){}", load.report.failure,
                                 load.py.interpreter().phrase(), import.advice);
  if (!import.details.empty()) text += "\n" + import.details;
  if (!first_failure.empty()) text += "\nThe first failure was: " + first_failure;
  const DetachScope detached(load.py);
  load.log.log(LogLevel::error, import.message, text);
  if (!import.refuses_subinterpreters) return;
  load.log.log(LogLevel::error, Message::subinterpreter_import,
               advice_on_refusal(phrase_of(load.target), load.py.interpreter()));
}

// Others wait for its end, however that comes.
Import ScriptLoader::import_cleanly(Load& load) noexcept {
  Attached& py = load.py;
  const bool first = loads_running_ == 0 && scripts_loaded_ == 0;
  const unsigned number = ++loads_begun_;
  ++loads_running_;
  const ImportTraces traces(py);
  const bool elsewhere = rules_.imports_on_main_thread && py.interpreter().is_main();
  const auto import_script = [&] {
    return elsewhere ? import_on_main_thread(load) : import_here(py, load.target, rules_);
  };
  Import import = base::unless_out_of_memory(import_script, [&] {
    discard_error(py);
    return Import{.message = Message::memory_exhausted};
  });
  --loads_running_;
  if (import.module) {
    ++scripts_loaded_;
  } else if (first && number == loads_begun_) {
    traces.erase(py);
  }
  return import;
}

// Python's own: the one that has started it.
Import ScriptLoader::import_on_main_thread(Load& load) const {
  Attached& py = load.py;
  Interpreter& interpreter = py.interpreter();
  const Ref context = Ref::steal(PyContext_CopyCurrent());
  if (!context) return failed_import(py, Message::memory_exhausted);
  const unsigned long caller = PyThread_get_thread_ident();
  const auto tell = [&](unsigned long thread) {
    if (load.observer_or_null != nullptr) load.observer_or_null->import_runs_on(thread);
  };
  Import import;
  const DetachScope detached(py);
  interpreter.main_thread().run([&] {
    OwnerScope main(interpreter);
    const ContextScope context_of_caller(main, context.get());
    tell(PyThread_get_thread_ident());
    const base::ScopeExit go_back([&] {
      tell(caller);
      discard_error(main);
    });
    import = import_here(main, load.target, rules_);
    // A copy of the process that the script has made has nobody to go back to.
    if (os::ForkWatch::in_forked_process()) ::_exit(0);
  });
  return import;
}

}  // namespace pyhost::python
