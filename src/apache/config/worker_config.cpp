#include "apache/config/worker_config.h"

#include <fmt/format.h>
#include <unistd.h>
#include <unixd.h>

#include <algorithm>

#include "apache/config/engine_settings.h"
#include "apache/config/process_groups.h"
#include "apache/process/embedded_engine.h"

namespace pyhost::apache {
namespace {

using control::WorkerSettings;
using gateway::EngineSettings;
using std::chrono::milliseconds;

EngineSettings engine_settings(const DaemonGroup& group) {
  const auto& options = group.options;
  EngineSettings engine = common_engine_settings(process_settings());
  engine.process_group = options.name;
  engine.first_path = options.home;
  engine.python_path = options.python_path;
  engine.script_owner = group.script_owner;
  if (options.switch_interval) engine.switch_interval_seconds = options.switch_interval;
  engine.multithread = options.threads > 1;
  engine.multiprocess = options.processes.has_value();
  engine.processes_max = static_cast<int>(worker_count(options));
  engine.threads_max = static_cast<int>(options.threads);
  // A service ends by the SystemExit that SIGTERM raises in it.
  if (options.threads == 0) engine.restrict_signal = false;
  return engine;
}

std::vector<control::Preload> preloads_of(const server_rec* s, const DaemonGroup& group) {
  std::vector<control::Preload> preloads;
  for (; s != nullptr; s = s->next) {
    if (!has_own_config(s)) continue;
    for (const Preload& script : server_config(s).preloads) {
      if (script.process_group != group.options.name) continue;
      const bool is_module = script.kind == gateway::TargetKind::module;
      preloads.push_back({.application_group = std::string(script.application_group),
                          .script = is_module ? fmt::format("{}:{}", script.script, script.callable)
                                              : std::string(script.script)});
    }
  }
  return preloads;
}

// Whose connections the workers take: with socket-user= httpd's children have changed their user.
uid_t uid_of_clients(const settings::ProcessGroup& options) {
  const uid_t own = httpd_identity().uid;
  if (options.socket_user.empty()) return own;
  return launch::resolve_user_id(options.socket_user).value_or(own);
}

// Scripts that are only imported are served as well.
void add_preloads(control::ServedTargets& targets, const std::vector<control::Preload>& preloads) {
  for (const control::Preload& preload : preloads) {
    std::string_view module;
    std::string_view callable;
    const bool is_module = gateway::split_module_target(preload.script, module, callable);
    auto& list = is_module ? targets.modules : targets.scripts;
    const std::string name(is_module ? module : std::string_view(preload.script));
    if (std::ranges::find(list, name) == list.end()) list.push_back(name);
  }
}

}  // namespace

control::HttpdIdentity httpd_identity() {
  if (geteuid() != 0) return {.uid = geteuid(), .gid = getegid()};
  return {.uid = ap_unixd_config.user_id, .gid = ap_unixd_config.group_id};
}

WorkerSettings worker_settings(const server_rec* main_server, const DaemonGroup& group,
                               const GroupService& service) {
  const auto& options = group.options;
  WorkerSettings settings;
  settings.engine = engine_settings(group);
  if (const auto plugin = find_plugin()) settings.plugin = plugin->path;
  settings.locale = options.locale;
  settings.threads = options.threads;
  if (options.stack_size_bytes != 0) settings.stack_bytes = options.stack_size_bytes;
  settings.listen_backlog = static_cast<int>(options.listen_backlog);
  settings.httpd_uid = uid_of_clients(options);
  settings.secret = group.secret;
  settings.log_level = static_cast<base::LogLevel>(
      std::min(ap_get_server_module_loglevel(group.server, APLOG_MODULE_INDEX),
               static_cast<int>(base::LogLevel::trace)));
  settings.socket_timeout = socket_timeout_of(group);
  settings.response_socket_timeout = options.response_socket_timeout;
  settings.limits = control::limits_of(options);
  settings.targets = service.targets;
  settings.preloads = preloads_of(main_server, group);
  add_preloads(settings.targets, settings.preloads);
  return settings;
}

milliseconds socket_timeout_of(const DaemonGroup& group) {
  const milliseconds own = group.options.socket_timeout;
  return own != milliseconds::zero() ? own : milliseconds(apr_time_as_msec(group.server->timeout));
}

}  // namespace pyhost::apache
