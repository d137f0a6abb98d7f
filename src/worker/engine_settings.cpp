#include "worker/engine_settings.h"

namespace pyhost::worker {

gateway::EngineSettings engine_settings_of(const control::WorkerBrief& brief) {
  const settings::ProcessGroup& group = brief.group;
  gateway::EngineSettings engine = brief.settings.engine;
  engine.process_group = group.name;
  engine.python_program = brief.assignment.python_program;
  engine.python_home = brief.assignment.python_home;
  engine.first_path = group.home;
  engine.python_path = group.python_path;
  if (group.switch_interval) engine.switch_interval_seconds = group.switch_interval;
  if (group.per_interpreter_gil) engine.own_lock = *group.per_interpreter_gil;
  engine.multithread = group.threads > 1;
  engine.multiprocess = group.processes.has_value();
  engine.processes_max = static_cast<int>(worker_count(group));
  engine.threads_max = static_cast<int>(group.threads);
  engine.thread_signals = gateway::ThreadSignals::open;
  engine.event_loops.lifespan = group.lifespan;
  engine.event_loops.kind = group.loop;
  if (group.startup_timeout.count() != 0) {
    engine.event_loops.startup_timeout = group.startup_timeout;
  }
  if (group.disconnect_grace.count() != 0) {
    engine.event_loops.disconnect_grace = group.disconnect_grace;
  }
  if (group.threads == 0) {
    // A service ends by the SystemExit that SIGTERM raises in it.
    engine.restrict_signal = false;
    for (auto& options : engine.interpreters) options.restrict_signal.reset();
  } else {
    // Two versions of an application do not share an interpreter: the worker is replaced.
    engine.changed_scripts = gateway::ChangedScripts::refused;
  }
  return engine;
}

}  // namespace pyhost::worker
