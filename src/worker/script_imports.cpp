#include "worker/script_imports.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/clock.h"
#include "base/out_of_memory.h"
#include "base/signals.h"
#include "base/thread.h"
#include "control/worker_limits.h"
#include "control/worker_report.h"

namespace pyhost::worker {
namespace {

using base::LogLevel;
using base::Message;

// For an import before there are requests. A hook script is no application.
gateway::Target import_of(const gateway::Script& script, const control::WorkerBrief& brief) {
  gateway::Target target = target_of(script);
  target.process_group = brief.group.name;
  target.reloading = gateway::Reloading::off;
  const bool is_hook = brief.settings.targets.answers(target);
  target.protocol = is_hook ? gateway::Protocol::wsgi : brief.group.interface;
  return target;
}

}  // namespace

void ImportLog::log(LogLevel level, Message message, std::string_view text) noexcept {
  log_.log(told_to_end_ && message == Message::script_exited ? LogLevel::info : level, message,
           text);
}

base::Result<bool> ScriptImports::import_all() {
  const control::WorkerBrief& brief = worker_.brief;
  if (brief.settings.preloads.empty() && brief.assignment.imports.empty()) return true;
  PH_TRY(thread,
         base::NamedThread::start("wsgi-preload", control::stack_bytes_of(brief.group), [this] {
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
  while (!done_ && (!end || base::Clock::now() < *end)) {
    const StopEvent event = worker_.events.wait(next);
    if (event != StopEvent::none && !wants_end(event)) continue;
    if (event != StopEvent::none && end) break;
    if (!end) end = base::Clock::now() + control::limits_of(worker_.brief.group).graceful_timeout;
    stopping_ = true;
    log_.told_to_end();
    // A script whose interpreter is still being made is not reached the first time.
    if (gateway::EngineWatch* watch = worker_.python.watch()) watch->interrupt_preloads();
    next = std::min(*end, base::Clock::now() + kBetweenInterruptions);
  }
  if (!done_) {
    // Unless this is a service, nobody was served yet, and nothing is lost.
    worker_.log.log(
        worker_.brief.group.threads == 0 ? LogLevel::warn : LogLevel::info, Message::import_stopped,
        fmt::format("{} ends although a script is still being imported", worker_.label));
  }
  return !end;
}

void ScriptImports::run() {
  for (const gateway::Script& preload : worker_.brief.settings.preloads) import(preload);
  for (const gateway::Script& preload : worker_.brief.assignment.imports) {
    if (is_still_served(preload)) import(preload);
  }
}

void ScriptImports::import(const gateway::Script& preload) {
  if (stopping_) return;
  auto imported = worker_.python.prepare(import_of(preload, worker_.brief), log_);
  // One that follows when it is told to end has not failed.
  if (imported || stopping_) return;
  // The engine has logged why.
  worker_.lacked.note(preload, imported.error().sentence);
  if (!failure_) failure_ = std::move(imported).error();
}

// What is no longer configured or no longer there is no reason not to start.
bool ScriptImports::is_still_served(const gateway::Script& import) const {
  const gateway::Target target = import_of(import, worker_.brief);
  const bool there =
      target.kind == gateway::TargetKind::module || ::access(import.script.c_str(), F_OK) == 0;
  const control::ServedTargets& targets = worker_.brief.settings.targets;
  return there && (targets.serves(target) || targets.answers(target));
}

bool ScriptImports::report() noexcept {
  // What is not reported now is reported behind the next request.
  return base::unless_out_of_memory([this] { return report_new(); }, [] { return false; });
}

bool ScriptImports::report_new() {
  gateway::EngineWatch* watch = worker_.python.watch();
  if (watch == nullptr || watch->imports() == count_reported_) return false;
  const std::lock_guard lock(report_mutex_);
  const unsigned count = watch->imports();
  for (gateway::Script& script : watch->imported_scripts()) {
    if (std::ranges::find(reported_, script) != reported_.end()) continue;
    // One that is there, but not its callable, is lacked.
    if (!worker_.lacked.has(script_key(script)))
      control::report({.kind = control::StatusReport::Kind::imported, .script = script});
    reported_.push_back(std::move(script));
  }
  count_reported_ = count;
  return true;
}

}  // namespace pyhost::worker
