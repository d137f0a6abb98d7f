#include "python/script_loader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/clock.h"
#include "base/out_of_memory.h"
#include "base/scope_exit.h"
#include "os/fork_watch.h"
#include "pyhost/base/unique_fd.h"
#include "python/compat.h"
#include "python/import_traces.h"
#include "python/line_log.h"
#include "python/script_module.h"

namespace pyhost::python {
namespace {

using base::LogLevel;
using base::Message;
using gateway::Target;
using gateway::TargetKind;
using namespace std::chrono_literals;

constexpr auto kFirstPause = 1s;
constexpr auto kLongestPause = 30s;

std::string phrase_of(const Target& target) {
  return fmt::format("{} {}", target.kind == TargetKind::file ? "script" : "module", target.script);
}

std::string failure_of(const Target& target, const std::string& summary) {
  return fmt::format("{} could not be imported: {}", phrase_of(target), summary);
}

base::Result<std::string> read_all(int file) {
  std::string text;
  char chunk[16 * 1024];
  while (true) {
    const ssize_t count = read(file, chunk, sizeof chunk);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail(std::strerror(errno));
    if (count == 0) return text;
    text.append(chunk, std::size_t(count));
  }
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

// While it lives the calling thread is the main thread, to itself.
class MainThreadScope {
 public:
  explicit MainThreadScope(Attached& py) : py_(py) { call("begin_import"); }
  MainThreadScope(const MainThreadScope&) = delete;
  MainThreadScope& operator=(const MainThreadScope&) = delete;
  ~MainThreadScope() { call("end_import"); }

 private:
  void call(const char* function) noexcept {
    if (!Ref::steal(PyObject_CallMethod(py_.interpreter().support(), function, nullptr))) {
      discard_error(py_);
    }
  }

  Attached& py_;
};

}  // namespace

Ref ScriptLoader::load(Attached& py, const Target& target, base::LogSink& log, LoadReport& report,
                       ImportObserver* observer_or_null) {
  Script& script = find(target);
  Ref found = current_module(py, script, target, log, report, observer_or_null);
  if (found && !target.callable.empty()) {
    found = callable_in(py, found.get(), target, log, report);
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

std::vector<gateway::ImportedScript> ScriptLoader::imported() const {
  std::vector<gateway::ImportedScript> imported;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, script] : scripts_) {
    const std::lock_guard script_lock(script->mutex);
    if (!script->module) continue;
    imported.push_back({.kind = script->kind, .script = name, .callable = script->callable});
  }
  return imported;
}

ScriptLoader::Script& ScriptLoader::find(const Target& target) {
  const std::lock_guard lock(mutex_);
  const auto found = scripts_.find(target.script);
  if (found != scripts_.end()) return *found->second;
  return *scripts_.emplace(target.script, std::make_unique<Script>()).first->second;
}

Ref ScriptLoader::current_module(Attached& py, Script& script, const Target& target,
                                 base::LogSink& log, LoadReport& report,
                                 ImportObserver* observer_or_null) {
  base::FileIdentity file = target.script_file;
  if (file == base::kNoFile && target.kind == TargetKind::file) {
    file = base::identity_of(std::string(target.script));
  }
  while (true) {
    std::unique_lock lock(script.mutex);
    if (script.loading) {
      lock.unlock();
      const ImportScope waiting(observer_or_null);
      const DetachScope detached(py);
      lock.lock();
      script.loaded.wait(lock, [&] { return !script.loading; });
      lock.unlock();
      continue;
    }
    const bool reloading = target.reloading == gateway::Reloading::on;
    const bool unchanged = script.file == file || script.accepted_file == file;
    if (script.module && (!reloading || unchanged)) {
      Ref module = script.module.clone();
      const Ref question = question_locked(script, target);
      lock.unlock();
      if (!question || !wants_reload(py, question.get(), target, log)) return module;
      report.outdated = rules_.changed_scripts == gateway::ChangedScripts::refused;
      if (report.outdated) return {};
      lock.lock();
      if (script.loading || script.module.get() != module.get()) {
        lock.unlock();  // the last reference to a module runs Python code
        continue;
      }
      script.loading = true;
      lock.unlock();
      const ImportScope importing(observer_or_null);
      return load_now(py, script, target, file, log, report, observer_or_null);
    }
    const bool refuses = rules_.changed_scripts == gateway::ChangedScripts::refused;
    if (refuses && (script.module || script.failure)) {
      if (!script.module) report.failure = failure_of(target, script.failure->summary);
      lock.unlock();
      const bool looks = reloading && !unchanged;
      report.outdated = looks && has_changed(py, script, std::string(target.script));
      return outcome_of_import(script, report);
    }
    if (const auto& failure = script.failure;
        failure && failure->file == file && base::Clock::now() < failure->retry_at) {
      report.import_failed = true;
      report.failure = failure_of(target, failure->summary);
      lock.unlock();
      const DetachScope detached(py);
      log.log(LogLevel::error, Message::script_still_broken,
              report.failure +
                  " (its traceback was logged; it is tried again when the file changes, "
                  "or after a pause)");
      return {};
    }
    script.loading = true;
    lock.unlock();
    const ImportScope importing(observer_or_null);
    return load_now(py, script, target, file, log, report, observer_or_null);
  }
}

// The module's reload_required() when it is to be asked; null otherwise. Where a yes replaces the
// process, each import serves a request first, and after an import in vain by a successor only a
// change of the file counts: one that always says yes would keep requests from ever being served.
Ref ScriptLoader::question_locked(Script& script, const Target& target) const {
  if (target.reloading == gateway::Reloading::off || !script.reload_required) return {};
  const bool first_use = !std::exchange(script.used, true);
  const bool replaces_process = rules_.changed_scripts == gateway::ChangedScripts::refused;
  const bool in_vain = rules_.accepted_until_us >= script.imported_us;
  if (replaces_process && (first_use || in_vain)) return {};
  return script.reload_required.clone();
}

bool ScriptLoader::wants_reload(Attached& py, PyObject* question, const Target& target,
                                base::LogSink& log) const {
  const Ref path = Ref::steal(
      PyUnicode_DecodeFSDefaultAndSize(target.script.data(), Py_ssize_t(target.script.size())));
  const Ref answer = Ref::steal(path ? PyObject_CallOneArg(question, path.get()) : nullptr);
  const int wants = answer ? PyObject_IsTrue(answer.get()) : -1;
  if (wants >= 0) return wants == 1;
  const std::string traceback = PythonError::take(py).traceback(py);
  const std::string text = fmt::format("reload_required() of {} failed; it is not reloaded\n{}",
                                       phrase_of(target), traceback);
  const DetachScope detached(py);
  log.log(LogLevel::error, Message::reload_required_failed, text);
  return false;
}

// What httpd has seen of the file may be older than what was imported, so it is looked at again.
bool ScriptLoader::has_changed(Attached& py, Script& script, const std::string& path) {
  base::FileIdentity file;
  std::int64_t changed_us;
  {
    const DetachScope detached(py);
    file = base::identity_of(path);
    changed_us = base::last_change_us(path);
  }
  const std::lock_guard lock(script.mutex);
  if (file == script.file) return false;
  // For each moment once: after that any other change counts, whenever a clock that may have been
  // set back says that it was made.
  const std::int64_t until_us = rules_.accepted_until_us;
  const bool changed =
      script.accepted_until_us == until_us ? script.accepted_file != file : changed_us > until_us;
  if (changed) return true;
  script.accepted_file = file;
  script.accepted_until_us = until_us;
  return false;
}

// Of the one import that there was.
Ref ScriptLoader::outcome_of_import(Script& script, LoadReport& report) {
  if (report.outdated) return {};
  const std::lock_guard lock(script.mutex);
  report.import_failed = !script.module;
  return script.module.clone();
}

Ref ScriptLoader::load_now(Attached& py, Script& script, const Target& target,
                           const base::FileIdentity& file, base::LogSink& log, LoadReport& report,
                           ImportObserver* observer_or_null) {
  Import import = import_cleanly(py, target, observer_or_null);
  Ref module = import.module.clone();
  Ref question = module && target.kind == TargetKind::file ? question_in(py, module.get()) : Ref();
  std::string first_failure;
  Ref replaced;
  {
    const base::ScopeExit tell_others([&script] { script.loaded.notify_all(); });
    const std::lock_guard lock(script.mutex);
    script.loading = false;
    replaced = std::move(script.module);
    std::swap(script.reload_required, question);
    script.file = file;
    if (module) {
      script.module = std::move(import.module);
      script.failure.reset();
      script.used = target.reloading == gateway::Reloading::on;
      script.imported_us = base::now_us();
    } else {
      const auto& before = script.failure;
      const bool same_file = before && before->file == file;
      const auto pause = same_file
                             ? std::min<std::chrono::seconds>(before->pause * 2, kLongestPause)
                             : std::chrono::seconds(kFirstPause);
      if (same_file && before->summary != import.summary) first_failure = before->summary;
      script.failure = Failure{first_failure.empty() ? import.summary : first_failure, file,
                               base::Clock::now() + pause, pause};
    }
  }

  const std::string phrase = phrase_of(target);
  const std::string where = py.interpreter().phrase();
  const DetachScope detached(py);
  if (module) {
    report.imported = true;
    log.log(LogLevel::info, Message::script_loaded,
            fmt::format("{} {} in {}", replaced ? "re-imported" : "imported", phrase, where));
  } else {
    report.import_failed = true;
    report.failure = failure_of(target, import.summary);
    std::string text =
        fmt::format("{} (in {}){}\n{}", report.failure, where, import.advice, import.details);
    if (!first_failure.empty()) text += "\nThe first failure was: " + first_failure;
    log.log(LogLevel::error, import.message, text);
    if (import.refuses_subinterpreters) {
      log.log(LogLevel::error, Message::subinterpreter_import,
              fmt::format("{} needs a module that does not work in a sub-interpreter; set "
                          "WSGIApplicationGroup %{{GLOBAL}} for it",
                          phrase));
    }
  }
  return module;
}

// Others wait for its end, however that comes.
ScriptLoader::Import ScriptLoader::import_cleanly(Attached& py, const Target& target,
                                                  ImportObserver* observer_or_null) noexcept {
  const bool first = loads_running_ == 0 && scripts_loaded_ == 0;
  const unsigned load = ++loads_begun_;
  ++loads_running_;
  const ImportTraces traces(py);
  const auto import_now = [&] { return this->import(py, target, observer_or_null); };
  Import import = base::unless_out_of_memory(import_now, [&] {
    discard_error(py);
    return Import{.message = Message::memory_exhausted};
  });
  --loads_running_;
  if (import.module) {
    ++scripts_loaded_;
  } else if (first && load == loads_begun_) {
    traces.erase(py);
  }
  return import;
}

ScriptLoader::Import ScriptLoader::import(Attached& py, const Target& target,
                                          ImportObserver* observer_or_null) const {
  const bool elsewhere = rules_.imports_on_main_thread && py.interpreter().is_main();
  return elsewhere ? import_on_main_thread(py, target, observer_or_null) : import_here(py, target);
}

// Python's own: the one that has started it.
ScriptLoader::Import ScriptLoader::import_on_main_thread(Attached& py, const Target& target,
                                                         ImportObserver* observer_or_null) const {
  Interpreter& interpreter = py.interpreter();
  LineLog* const log = current_request_log();
  const unsigned long caller = PyThread_get_thread_ident();
  const auto tell = [&](unsigned long thread) {
    if (observer_or_null != nullptr) observer_or_null->import_runs_on(thread);
  };
  Import import;
  const DetachScope detached(py);
  interpreter.main_thread().run([&] {
    OwnerScope main(interpreter);
    std::optional<RequestLogScope> log_scope;
    if (log != nullptr) log_scope.emplace(*log);
    tell(PyThread_get_thread_ident());
    const base::ScopeExit go_back([&] {
      tell(caller);
      discard_error(main);
    });
    import = import_here(main, target);
    // A copy of the process that the script has made has nobody to go back to.
    if (os::ForkWatch::in_forked_process()) ::_exit(0);
  });
  return import;
}

ScriptLoader::Import ScriptLoader::import_here(Attached& py, const Target& target) const {
  const MainThreadScope main_thread(py);
  const std::string name(target.script);
  if (target.kind == TargetKind::file) return import_file(py, name);
  Ref module = Ref::steal(PyImport_ImportModule(name.c_str()));
  return module ? Import{.module = std::move(module)} : failed_import(py, Message::script_raised);
}

ScriptLoader::Import ScriptLoader::failed_import(Attached& py, Message message) {
  const PythonError error = PythonError::take(py);
  return {
      .module = {},
      .message = error.is(PyExc_SystemExit) ? Message::script_exited : message,
      .summary = error.summary(py),
      .details = error.traceback(py),
      .advice = error.advice(py),
      .refuses_subinterpreters = !py.interpreter().is_main() && error.refuses_subinterpreters(py)};
}

// What is looked at is what is read: between a look at the path and its opening it may be given to
// another file.
ScriptLoader::Source ScriptLoader::read_source(const std::string& path) const {
  const auto failed = [&path](const std::string& why) {
    return Source{Message::script_unreadable, "the file cannot be read",
                  fmt::format("{}: {}", path, why)};
  };
  const base::UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat found {};
  if (!file.valid() || fstat(file.get(), &found) != 0) return failed(std::strerror(errno));
  if (const auto owned = gateway::check_owner(rules_.script_owner, path, found); !owned) {
    return {Message::script_owner_refused, "script-user= or script-group= of its group forbids it",
            owned.error().sentence};
  }
  auto text = read_all(file.get());
  if (!text) return failed(text.error().sentence);
  return {Message::none, "", *std::move(text)};
}

ScriptLoader::Import ScriptLoader::import_file(Attached& py, const std::string& path) const {
  Source source;
  {
    const DetachScope detached(py);
    source = read_source(path);
  }
  if (source.message != Message::none) {
    return {.module = {},
            .message = source.message,
            .summary = std::move(source.summary),
            .details = std::move(source.text)};
  }
  const Ref path_text =
      Ref::steal(PyUnicode_DecodeFSDefaultAndSize(path.data(), Py_ssize_t(path.size())));
  const Ref code = path_text ? compile_script(source.text, path_text.get()) : Ref();
  if (!code) return failed_import(py, Message::script_unreadable);
  const std::string name = script_module_name(path, rules_.case_sensitive_paths);
  Ref module = run_script(py, name, path_text.get(), code.get());
  return module ? Import{.module = std::move(module)} : failed_import(py, Message::script_raised);
}

// A module may make it when it is asked for (PEP 562), and fail.
void ScriptLoader::report_broken_callable(Attached& py, const Target& target, base::LogSink& log,
                                          LoadReport& report) {
  const PythonError error = PythonError::take(py);
  report.failure = fmt::format("{} failed to provide '{}': {}", phrase_of(target), target.callable,
                               error.summary(py));
  const std::string text = fmt::format("{}\n{}", report.failure, error.traceback(py));
  const DetachScope detached(py);
  log.log(LogLevel::error, Message::script_raised, text);
}

Ref ScriptLoader::callable_in(Attached& py, PyObject* module, const Target& target,
                              base::LogSink& log, LoadReport& report) const {
  Ref found = Ref::share(module);
  for (std::string_view rest = target.callable; found && !rest.empty();) {
    const auto dot = rest.find('.');
    const std::string_view name = rest.substr(0, dot);
    rest = dot == rest.npos ? std::string_view() : rest.substr(dot + 1);
    const Ref attribute =
        Ref::steal(PyUnicode_FromStringAndSize(name.data(), Py_ssize_t(name.size())));
    const Ref holder = std::move(found);
    if (!attribute || get_optional_attribute(holder.get(), attribute.get(), found) < 0) {
      report_broken_callable(py, target, log, report);
      return {};
    }
  }
  if (found && PyCallable_Check(found.get())) return found;

  const Ref defined =
      Ref::steal(PyObject_CallMethod(py.interpreter().support(), "callables_of", "O", module));
  const std::string names = defined ? to_utf8(py, defined.get()) : std::string();
  if (!defined) discard_error(py);
  report.failure = fmt::format(
      "{} {} '{}'; {}", phrase_of(target), found ? "has no callable" : "does not define",
      target.callable,
      names.empty() ? "it defines no callable at all" : "the callables it defines are: " + names);
  const DetachScope detached(py);
  log.log(LogLevel::error, Message::callable_missing, report.failure);
  return {};
}

}  // namespace pyhost::python
