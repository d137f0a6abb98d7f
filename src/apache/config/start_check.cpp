#include "apache/config/start_check.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "apache/config/config.h"
#include "apache/config/configuration_lines.h"
#include "apache/config/places.h"
#include "apache/config/process_groups.h"
#include "apache/config/socket_prefix.h"
#include "apache/config/worker_config.h"
#include "apache/process/board_size.h"
#include "apache/process/embedded_engine.h"
#include "apache/process/retained_groups.h"
#include "launch/credentials.h"
#include "launch/listening_socket.h"
#include "launch/program_build.h"
#include "launch/rehearsals.h"
#include "launch/worker_environment.h"
#include "os/pidfd.h"

namespace pyhost::apache {
namespace {

using launch::Rehearsals;

constexpr std::string_view kRuntimeFolder = "DefaultRuntimeDir";

// A group whose start is being rehearsed.
struct Checked {
  const settings::ProcessGroup& options;
  launch::Credentials credentials;
  std::size_t number;
};

// As another user than the one that will start httpd, it cannot be told who may become whom.
bool may_judge() {
  return geteuid() == 0 || ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST;
}

// Whether the sockets of the groups can be made. httpd's parent will be another process, whose
// number may be longer, but not longer than seven digits.
base::Result<> check_sockets(const control::HttpdIdentity& httpd) {
  const std::string prefix = configured_socket_prefix(ap_server_conf->process->pconf);
  const auto& groups = all_process_groups();
  if (groups.empty() || !may_judge()) return {};
  unsigned slots = 1;
  for (const DaemonGroup* group : groups) {
    slots = std::max(slots, settings::worker_count(group->options));
  }
  const auto made = launch::try_sockets(fmt::format("{}.{:07}", prefix, getpid()),
                                        static_cast<unsigned>(groups.size()) - 1, slots,
                                        geteuid() == 0 ? std::optional(httpd.uid) : std::nullopt);
  if (made) return {};
  return base::fail(fmt::format(
      "{}: {}",
      process_settings().socket_prefix ? std::string_view("WSGISocketPrefix") : kRuntimeFolder,
      made.error().sentence));
}

base::Result<> check_monitor_group() {
  const auto name = process_settings().monitor_group;
  const auto found = name ? launch::resolve_group_id(*name) : base::Result<gid_t>(0);
  if (found) return {};
  return base::fail(fmt::format("WSGIMonitorGroup: {}", found.error().sentence));
}

base::Result<> begin(const DaemonGroup& group, const control::WantedState& state,
                     Rehearsals& rehearsals, std::vector<Checked>& checked) {
  auto plan = launch::plan_worker(group.options, state.httpd,
                                  plugin::folder_of_this_object() + "/pyhost-worker");
  const bool as_another = !launch::options_for_root(group.options).empty();
  if (!may_judge() && as_another) return {};
  if (!plan) return tl::unexpected(std::move(plan).error());
  auto files = launch::input_files_of(state, {.options = group.options});
  checked.push_back(
      {.options = group.options,
       .credentials = plan->credentials,
       .number = rehearsals.add({.plan = *std::move(plan), .files = std::move(files)})});
  return {};
}

base::Result<> of_group(const DaemonGroup& group, const base::Result<>& outcome) {
  if (outcome) return {};
  return base::fail(
      fmt::format("WSGIDaemonProcess {}: {}", group.options.name, outcome.error().sentence));
}

// What httpd starts when it has left the terminal.
base::Result<> check_programs() {
  const std::string folder = plugin::folder_of_this_object();
  for (const char* program : {"/pyhost-supervisor", "/pyhost-worker"}) {
    PH_TRY_VOID(launch::check_program_build(folder + program));
  }
  const base::UniqueFd self = os::open_pidfd(getpid());
  return self.valid() ? base::Result<>() : os::pidfds_refused();
}

// Whether all scoreboards can be there at the same time.
base::Result<> check_boards() {
  std::uint32_t index = 0;
  RetainedGroups boards(RetainedGroups::make_table(ap_server_conf->process->pconf), index);
  base::Result<> outcome;
  for (const DaemonGroup* group : all_process_groups()) {
    const auto made = boards.want(group->options.name, group->options.name, group->worker_uid,
                                  board_size_of(group->options));
    outcome = of_group(*group, made.map([](const RetainedGroup&) {}));
    if (!outcome) break;
  }
  boards.for_each([](const RetainedGroup& group) {
    close(group.board);
    close(group.reports);
  });
  return outcome;
}

// What all groups and httpd's own children start from.
control::WantedState state_of_all() {
  return {.httpd = httpd_identity(),
          .python_home = std::string(process_settings().python_home.value_or("")),
          .plugins = plugin::find_plugins(plugin::folder_of_this_object())};
}

// For httpd's own children, as whom they will run.
std::optional<std::size_t> begin_embedded(const control::WantedState& state,
                                          Rehearsals& rehearsals) {
  if (state.python_home.empty() || *process_settings().restrict_embedded) return std::nullopt;
  const auto plan = launch::plan_worker({}, state.httpd, "");
  if (state.plugins.empty() || !plan) return std::nullopt;
  return rehearsals.add({.plan = *plan,
                         .files = {.python = {.home = state.python_home, .version = ""},
                                   .python_option = "WSGIPythonHome",
                                   .plugins = state.plugins},
                         .extent = launch::Rehearse::files});
}

// Where a directive of httpd's own stands, the last of several; "" when it stands nowhere.
std::string place_of_httpds(std::string_view directive) {
  std::string place;
  for (const ConfigurationLine& line : configuration_lines()) {
    if (line.is(directive)) place = line.place;
  }
  return place;
}

template <class T>
base::Result<> without_value(const base::Result<T>& result) {
  return result.map([](const T&) {});
}

}  // namespace

StartPythons check_starts(Findings& findings) {
  StartPythons pythons;
  const auto refuse = [&findings](const base::Result<>& outcome) {
    if (outcome) return;
    const std::string& sentence = outcome.error().sentence;
    const std::string httpds =
        sentence.starts_with(kRuntimeFolder) ? place_of_httpds(kRuntimeFolder) : "";
    findings.refuse(ap_server_conf, {sentence},
                    httpds.empty() ? place_of_subject(sentence) : httpds.c_str());
  };
  const control::WantedState state = state_of_all();
  if (state.plugins.empty() && !all_process_groups().empty()) {
    refuse(base::fail(find_plugin().error().sentence));
    return pythons;
  }
  auto loop = os::EventLoop::create();
  if (!loop) {
    refuse(tl::unexpected(std::move(loop).error()));
    return pythons;
  }
  Rehearsals rehearsals(*loop);
  std::vector<Checked> checked;
  const auto embedded = begin_embedded(state, rehearsals);
  for (const DaemonGroup* group : all_process_groups()) {
    refuse(begin(*group, state, rehearsals, checked));
  }
  if (!all_process_groups().empty()) {
    refuse(of_group(*all_process_groups().front(), check_programs()));
    refuse(check_boards());
  }
  refuse(check_sockets(state.httpd));
  refuse(check_monitor_group());
  run_to_end(*loop, rehearsals);
  const auto conclude = [&](const std::string& group, std::size_t number) {
    const auto& outcome = rehearsals.outcome(number);
    if (outcome) pythons[group] = outcome->plugin;
    return outcome;
  };
  if (embedded) refuse(without_value(conclude("", *embedded)));
  for (const Checked& each : checked) {
    refuse(conclude(each.options.name, each.number).and_then([&each](const auto& inputs) {
      return without_value(
          launch::worker_environment(each.options, each.credentials, environ, inputs.env_text));
    }));
  }
  return pythons;
}

std::string embedded_python() {
  const control::WantedState state = state_of_all();
  if (state.plugins.empty()) return "";
  const std::string& newest = state.plugins.front().python_version;
  if (state.python_home.empty() || state.plugins.size() == 1) return newest;
  auto loop = os::EventLoop::create();
  if (!loop) return "";
  Rehearsals rehearsals(*loop);
  const auto embedded = begin_embedded(state, rehearsals);
  if (!embedded) return newest;
  run_to_end(*loop, rehearsals);
  const auto& outcome = rehearsals.outcome(*embedded);
  const auto chosen =
      outcome ? std::ranges::find(state.plugins, outcome->plugin, &plugin::PluginFile::path)
              : state.plugins.end();
  return chosen == state.plugins.end() ? "" : chosen->python_version;
}

}  // namespace pyhost::apache
