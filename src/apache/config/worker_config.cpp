#include "apache/config/worker_config.h"

#include <fmt/format.h>
#include <unistd.h>
#include <unixd.h>

#include <algorithm>
#include <iterator>

#include "apache/config/engine_settings.h"
#include "apache/config/hook_directives.h"
#include "apache/config/preloads.h"
#include "apache/config/process_groups.h"
#include "apache/log_levels.h"
#include "apache/process/embedded_engine.h"
#include "pyhost/gateway/factory.h"

namespace pyhost::apache {
namespace {

using control::WorkerSettings;
using std::chrono::milliseconds;

// Whose connections the workers take: with socket-user= httpd's children have changed their user.
uid_t uid_of_clients(const settings::ProcessGroup& options) {
  const uid_t own = httpd_identity().uid;
  if (options.socket_user.empty()) return own;
  return launch::resolve_user_id(options.socket_user).value_or(own);
}

// What is imported before there are requests. Of a file any callable will do, but for one that is
// made then.
std::vector<gateway::Script> worker_preloads(const server_rec* main_server,
                                             const DaemonGroup& group) {
  auto preloads = preloads_of(main_server, group.options.name);
  for (gateway::Script& script : preloads) {
    const bool is_file = script.kind == gateway::TargetKind::file;
    if (is_file && !gateway::is_factory(script.callable)) script.callable.clear();
  }
  return preloads;
}

// Scripts that are only imported are served as well.
void add_preloads(control::ServedTargets& targets, const std::vector<gateway::Script>& preloads) {
  for (const gateway::Script& preload : preloads) {
    auto& list = preload.kind == gateway::TargetKind::module ? targets.modules : targets.scripts;
    if (std::ranges::find(list, preload.script) == list.end()) list.push_back(preload.script);
  }
}

}  // namespace

control::HttpdIdentity httpd_identity() {
  if (geteuid() != 0) return {.uid = geteuid(), .gid = getegid()};
  return {.uid = ap_unixd_config.user_id, .gid = ap_unixd_config.group_id};
}

WorkerSettings worker_settings(const server_rec* main_server, const DaemonGroup& group,
                               const GroupService& service) {
  WorkerSettings settings;
  settings.engine = common_engine_settings(group.options.name);
  settings.engine.script_owner = group.script_owner;
  if (const auto plugin = find_plugin()) settings.plugin = plugin->path;
  settings.httpd_uid = uid_of_clients(group.options);
  settings.secret = group.secret;
  settings.log = log_rules_of(group.server);
  settings.log.group = group.options.name;
  settings.socket_timeout = socket_timeout_of(group);
  settings.targets = service.targets;
  settings.preloads = worker_preloads(main_server, group);
  add_preloads(settings.targets, settings.preloads);
  std::ranges::move(hooks_of(main_server, group).preloads, std::back_inserter(settings.preloads));
  return settings;
}

milliseconds socket_timeout_of(const DaemonGroup& group) {
  const milliseconds own = group.options.socket_timeout;
  return own != milliseconds::zero() ? own : milliseconds(apr_time_as_msec(group.server->timeout));
}

}  // namespace pyhost::apache
