#include "apache/process/wanted_groups.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "apache/config/config.h"
#include "apache/config/process_groups.h"
#include "apache/config/served_targets.h"
#include "apache/config/socket_prefix.h"
#include "apache/config/worker_config.h"
#include "apache/log.h"
#include "apache/log_levels.h"
#include "apache/pool.h"
#include "apache/process/board_size.h"
#include "apache/process/embedded_engine.h"
#include "apache/process/run_state.h"
#include "control/operator_protocol.h"
#include "scoreboard/former_board.h"
#include "scoreboard/scoreboard.h"

namespace pyhost::apache {
WantedGroups::WantedGroups(server_rec* main_server, RetainedGroups& retained,
                           const RetainedGroups* former, MetricsMemories& metrics)
    : main_server_(main_server),
      retained_(retained),
      former_(former),
      metrics_(metrics),
      logs_(main_server) {
  const std::string prefix = configured_socket_prefix(main_server->process->pconf);
  state_.plugins = plugin::find_plugins(plugin::folder_of_this_object());
  state_.socket_prefix = fmt::format("{}.{}", prefix, getpid());
  state_.operator_socket = prefix + control::kOperatorSocketSuffix;
  if (*process_settings().status_stacks) {
    state_.stacks_socket = prefix + control::kStacksSocketSuffix;
  }
  if (const auto monitors = process_settings().monitor_group) {
    const auto group = launch::resolve_group_id(*monitors);
    // One that is not there any more since the check has no members.
    if (group) state_.monitor_gid = *group;
  }
  state_.httpd = httpd_identity();
  state_.httpd_version = httpd_version();
  state_.python_home = process_settings().python_home.value_or("");
  state_.log = log_rules_of(main_server);
}

base::Result<> WantedGroups::prepare() {
  descriptors_ = {logs_.descriptor_of(main_server_)};
  state_.groups.clear();
  retained_.begin();
  base::Result<> outcome;
  const GroupServices services(main_server_);
  for (DaemonGroup* group : all_process_groups()) {
    auto prepared = prepare(*group, services);
    if (!prepared && outcome) outcome = std::move(prepared);
  }
  return outcome;
}

base::Result<> WantedGroups::prepare(DaemonGroup& group, const GroupServices& services) {
  if (state_.plugins.empty()) {
    return base::fail(fmt::format("WSGIDaemonProcess {}: {}", group.options.name,
                                  find_plugin().error().sentence));
  }
  PH_TRY(credentials, launch::resolve_credentials(group.options, state_.httpd));
  const GroupService service = services.of(group);
  group.only_script = service.only_script;
  // A scoreboard stays the same over restarts, so that children of before find the workers of
  // after.
  const std::string identity = identity_of(group.options, credentials);
  PH_TRY(retained, retained_.want(group.options.name, identity, credentials.uid,
                                  board_size_of(group.options)));
  if (is_stopped_in_former(group.options.name)) {
    PH_TRY(board, scoreboard::Scoreboard::map(retained.board, retained.reports));
    board.stop_group();
  }
  const unsigned log_position = position_of_log(group);
  const auto board_position = static_cast<unsigned>(descriptors_.size());
  descriptors_.insert(descriptors_.end(), {retained.board, retained.reports});
  const unsigned metrics_position = position_of_metrics(group.options, identity);
  control::WorkerSettings settings = worker_settings(main_server_, group, service);
  settings.secret = retained.secret();
  state_.groups.push_back({.options = group.options,
                           .place = std::string(view_or_empty(group.place)),
                           .index = retained.index,
                           .log = log_position,
                           .board = board_position,
                           .reports = board_position + 1,
                           .metrics = metrics_position,
                           .worker_settings = to_json(settings)});
  return {};
}

unsigned WantedGroups::position_of_log(const DaemonGroup& group) {
  const int log = logs_.descriptor_of(group.server);
  auto known = std::ranges::find(descriptors_, log);
  if (known == descriptors_.end()) known = descriptors_.insert(descriptors_.end(), log);
  return static_cast<unsigned>(known - descriptors_.begin());
}

unsigned WantedGroups::position_of_metrics(const settings::ProcessGroup& group,
                                           const std::string& identity) {
  const int file = metrics_.want(group.name, identity, metrics_shape_of(group));
  if (file < 0) return 0;
  descriptors_.push_back(file);
  return static_cast<unsigned>(descriptors_.size() - 1);
}

std::string WantedGroups::identity_of(const settings::ProcessGroup& group,
                                      const launch::Credentials& credentials) const {
  return fmt::format("{}\n{}\n{}\n{}\n{}", group.name, credentials.uid, credentials.gid,
                     group.socket_user, state_.socket_prefix);
}

bool WantedGroups::is_stopped_in_former(std::string_view name) const {
  if (former_ == nullptr) return false;
  bool stopped = false;
  former_->for_each([&](const RetainedGroup& former) {
    if (former.running == 0 || former.name != name) return;
    stopped = scoreboard::is_stopped_in(former.board);
  });
  return stopped;
}

void WantedGroups::note_missing_logs() {
  std::vector<const server_rec*> noted;
  for (const DaemonGroup* group : all_process_groups()) {
    const server_rec* s = group->server;
    if (std::ranges::find(noted, s) != noted.end()) continue;
    noted.push_back(s);
    const auto problem = logs_.problem_of(s);
    if (!problem) continue;
    log_server(main_server_, base::LogLevel::notice, base::Message::log_is_no_file,
               fmt::format("process group '{}': what its workers say that belongs to no request {}",
                           group->options.name, *problem));
  }
}

}  // namespace pyhost::apache
