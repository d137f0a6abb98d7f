#include "worker/engine_settings.h"

#include <chrono>
#include <optional>

namespace pyhost::worker {

namespace {

// A time of an option that may be off.
std::optional<std::chrono::milliseconds> limit_of(std::chrono::milliseconds time) noexcept {
  return time.count() == 0 ? std::nullopt : std::optional(time);
}

gateway::EventLoops event_loops_of(const settings::ProcessGroup& group) {
  return {.lifespan = group.lifespan,
          .kind = group.loop,
          .startup_timeout = limit_of(group.startup_timeout),
          .disconnect_grace = limit_of(group.disconnect_grace),
          .scopes = {.http_spec = group.asgi_spec,
                     .tls = group.asgi_tls,
                     .environ = group.asgi_environ},
          .web_sockets = {.ping_interval = group.websocket_ping_interval,
                          .ping_timeout = group.websocket_ping_timeout,
                          .message_bytes_max = group.websocket_message_bytes_max,
                          .compression = group.websocket_compression,
                          .connect_timeout = group.websocket_connect_timeout,
                          .drain = group.websocket_drain}};
}

}  // namespace

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
  engine.event_loops = event_loops_of(group);
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
