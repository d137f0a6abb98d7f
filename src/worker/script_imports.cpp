#include "worker/script_imports.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "pyhost/base/out_of_memory.h"
#include "pyhost/base/signals.h"
#include "pyhost/base/thread.h"
#include "worker/status_report.h"

namespace pyhost::worker {
namespace {

using base::LogLevel;
using base::Message;
using Clock = std::chrono::steady_clock;

gateway::Target target_of(const gateway::Preload& preload, std::string_view process_group) {
  gateway::Target target{.process_group = process_group,
                         .application_group = preload.application_group,
                         .script = preload.script,
                         .callable = preload.callable,
                         .reloading = gateway::Reloading::off};
  if (gateway::split_module_target(preload.script, target.script, target.callable)) {
    target.kind = gateway::TargetKind::module;
  }
  return target;
}

// Nothing for a module without a callable, which a preload cannot name.
std::optional<gateway::Preload> preload_of(const gateway::ImportedScript& script) {
  if (script.kind == gateway::TargetKind::file) {
    return gateway::Preload{script.application_group, script.script, script.callable};
  }
  if (script.callable.empty()) return std::nullopt;
  return gateway::Preload{script.application_group,
                          fmt::format("{}:{}", script.script, script.callable), ""};
}

}  // namespace

void ImportLog::log(LogLevel level, Message message, std::string_view text) noexcept {
  log_.log(told_to_end_ && message == Message::script_exited ? LogLevel::info : level, message,
           text);
}

base::Result<bool> ScriptImports::import_all() {
  const gateway::WorkerSettings& settings = worker_.settings;
  if (settings.preloads.empty() && settings.predecessor_imports.empty()) return true;
  PH_TRY(thread, base::NamedThread::start("wsgi-preload", settings.stack_bytes, [this] {
           base::unblock_signals();
           run();
           done_ = true;
           worker_.events.poke();
         }));
  const bool complete = wait();
  if (done_) {
    thread.join();
  } else {
    thread.detach();
  }
  return complete;
}

// Any wish for an end is followed at once: nobody is served yet. A script that is told to end, by
// SystemExit, has its time for that.
bool ScriptImports::wait() {
  constexpr std::chrono::milliseconds kBetweenInterruptions{100};
  StopEvents::Deadline end, next;
  while (!done_ && (!end || Clock::now() < *end)) {
    const StopEvent event = worker_.events.wait(next);
    if (event == StopEvent::progress) continue;
    if (event != StopEvent::none && end) break;
    if (!end) end = Clock::now() + worker_.settings.limits.graceful_timeout;
    stopping_ = true;
    log_.told_to_end();
    // A script whose interpreter is still being made is not reached the first time.
    if (gateway::EngineWatch* watch = worker_.engine.watch()) watch->interrupt_preloads();
    next = std::min(*end, Clock::now() + kBetweenInterruptions);
  }
  if (!done_) {
    // Unless this is a service, nobody was served yet, and nothing is lost.
    worker_.log.log(
        worker_.settings.threads == 0 ? LogLevel::warn : LogLevel::info, Message::import_stopped,
        fmt::format("{} ends although a script is still being imported", worker_.label));
  }
  return !end;
}

void ScriptImports::run() {
  const auto note = [this](base::Result<> imported) {
    if (imported) return;
    // A worker that does not start says so itself.
    if (!worker_.settings.imports_required && !stopping_) {
      worker_.log.log(LogLevel::error, Message::preload_failed, imported.error().sentence);
    }
    if (!failure_) failure_ = std::move(imported).error();
  };
  for (const gateway::Preload& preload : worker_.settings.preloads) note(import(preload));
  for (const gateway::Preload& preload : worker_.settings.predecessor_imports) {
    if (is_still_served(preload)) note(import(preload));
  }
}

base::Result<> ScriptImports::import(const gateway::Preload& preload) {
  if (stopping_) return {};
  return worker_.engine.preload(target_of(preload, worker_.settings.engine.process_group), log_);
}

// What is no longer configured or no longer there is no reason not to start.
bool ScriptImports::is_still_served(const gateway::Preload& import) const {
  const gateway::Target target = target_of(import, worker_.settings.engine.process_group);
  const bool there =
      target.kind == gateway::TargetKind::module || ::access(import.script.c_str(), F_OK) == 0;
  return there && worker_.settings.targets.serves(target);
}

void ScriptImports::report() noexcept {
  // What is not reported now is reported behind the next request.
  base::if_memory_allows([this] { report_new(); });
}

void ScriptImports::report_new() {
  gateway::EngineWatch* watch = worker_.engine.watch();
  if (watch == nullptr || watch->imports() == count_reported_) return;
  const std::lock_guard lock(report_mutex_);
  const unsigned count = watch->imports();
  for (gateway::ImportedScript& script : watch->imported_scripts()) {
    if (std::ranges::find(reported_, script) != reported_.end()) continue;
    if (const auto import = preload_of(script)) report_import(*import);
    reported_.push_back(std::move(script));
  }
  count_reported_ = count;
}

}  // namespace pyhost::worker
