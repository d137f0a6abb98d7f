#include "apache/check/check_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "apache/check/access_findings.h"
#include "apache/check/applications.h"
#include "apache/check/capacity_findings.h"
#include "apache/check/named_scripts.h"
#include "apache/check/path_findings.h"
#include "apache/check/request_probe.h"
#include "apache/check/route_findings.h"
#include "apache/check/web_socket_findings.h"
#include "apache/config/configuration_notes.h"
#include "apache/config/process_groups.h"
#include "apache/config/served_targets.h"
#include "apache/pool.h"
#include "apache/process/embedded_engine.h"
#include "base/parse.h"
#include "control/check_protocol.h"

namespace pyhost::apache {
namespace {

std::string_view in_environment(const char* name) {
  return view_or_empty(getenv(name));
}

std::string version_of(const std::string& plugin) {
  for (const auto& each : plugin::find_plugins(plugin::folder_of_this_object())) {
    if (each.path == plugin) return each.python_version;
  }
  const auto newest = find_plugin();
  return newest ? newest->python_version : "";
}

// "3.11 (/srv/shop/venv)"
std::string python_of(const DaemonGroup* group, const StartPythons& pythons) {
  const auto known = pythons.find(group == nullptr ? "" : group->options.name);
  const std::string version = version_of(known == pythons.end() ? "" : known->second);
  std::string home(process_settings().python_home.value_or(""));
  if (group != nullptr && !group->options.python_home.empty()) home = group->options.python_home;
  return home.empty() ? version : fmt::format("{} ({})", version, home);
}

// The name of the interpreter, as far as it is known without a request.
std::string interpreter_of(const Application& application) {
  if (const auto& name = application.settings.application_group) {
    return std::string(*name == settings::kGlobalName ? "" : *name);
  }
  const bool alone =
      application.group != nullptr && application.group->only_script == application.alias->target;
  return alone ? "" : "%{RESOURCE}";
}

std::vector<control::ServedUrls> served_by(const std::vector<Application>& applications,
                                           const StartPythons& pythons) {
  std::vector<control::ServedUrls> served;
  for (const Application& each : applications) {
    served.push_back({.place = std::string(view_or_empty(each.alias->place)),
                      .server = name_of(each.server),
                      .url = url_of(*each.alias),
                      .target = target_of(*each.alias),
                      .process_group = std::string(each.group_name),
                      .application_group = interpreter_of(each),
                      .user = each.depends_on_request() ? "" : user_of(each.group),
                      .python = each.depends_on_request() ? "" : python_of(each.group, pythons)});
  }
  return served;
}

std::vector<control::ScriptLine> lines_of(const std::vector<NamedScript>& scripts,
                                          const StartPythons& pythons) {
  std::vector<control::ScriptLine> lines;
  for (const NamedScript& each : scripts) {
    const bool certain = !each.depends_on_request;
    lines.push_back({.place = std::string(view_or_empty(each.place)),
                     .server = name_of(each.server),
                     .line = std::string(each.written),
                     .directive = std::string(directive_of(each)),
                     .script = script_of(each),
                     .process_group = std::string(each.group_name),
                     .application_group = std::string(each.application_group),
                     .user = certain ? user_of(each.group) : "",
                     .python = certain ? python_of(each.group, pythons) : "",
                     .by_request = each.depends_on_request});
  }
  return lines;
}

// The URL that `pyhost explain` asks for, if it does.
std::vector<control::Explanation> explain_what_is_asked(const server_rec* main_server,
                                                        const StartPythons& pythons,
                                                        Findings& findings) {
  const std::string_view path = in_environment(control::kCheckedUrl);
  if (path.empty()) return {};
  const auto port = base::parse_unsigned(in_environment(control::kCheckedPort));
  auto explained =
      probe_requests(main_server, {{.path = std::string(path),
                                    .host = std::string(in_environment(control::kCheckedHost)),
                                    .port = static_cast<unsigned>(port.value_or(80))}})
          .front();
  if (!explained) {
    findings.add(
        main_server, Severity::warning, base::Message::check_incomplete,
        {fmt::format("the request for {} could not be followed: a module that is not started "
                     "has ended the process that asked, or it has taken too long",
                     path)},
        nullptr);
    return {};
  }
  if (explained->mapped) {
    const DaemonGroup* group = find_process_group(explained->process_group);
    explained->user = user_of(group);
    explained->python = python_of(group, pythons);
  }
  return {*std::move(explained)};
}

void write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

bool is_asked_by_pyhost() {
  return ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST &&
         ap_exists_config_define(control::kCheckDefine) != 0 &&
         !in_environment(control::kCheckDescriptor).empty();
}

void check_what_is_served(const server_rec* main_server, Findings& findings) {
  const auto applications = applications_of(main_server);
  find_shadowed_aliases(main_server, findings);
  find_names_without_meaning(main_server, findings);
  find_unserved_layouts(main_server, findings);
  find_open_socket_folder(main_server, findings);
  find_prefork_with_http2(main_server, findings);
  find_few_web_sockets(main_server, findings);
  find_paths_out_of_reach(main_server, applications, named_scripts_of(main_server), findings);
}

void answer_pyhost(const server_rec* main_server, Findings& findings, const StartPythons& pythons) {
  // Which interpreter a request gets depends on it.
  const GroupServices services(main_server);
  for (DaemonGroup* group : all_process_groups()) {
    group->only_script = services.of(*group).only_script;
  }
  const auto applications = applications_of(main_server);
  note_python_variables(main_server, findings);
  find_access_not_granted(main_server, applications, findings);
  find_withheld_authorization(applications, findings);
  find_unused_groups(main_server, findings);
  find_lacking_capacity(main_server, applications, findings);
  control::CheckReport report{.served = served_by(applications, pythons),
                              .scripts = lines_of(named_scripts_of(main_server), pythons),
                              .explained = explain_what_is_asked(main_server, pythons, findings)};
  report.findings = findings.list();
  const auto fd = base::parse_unsigned(in_environment(control::kCheckDescriptor));
  if (fd) write_whole(static_cast<int>(*fd), to_json(report));
}

}  // namespace pyhost::apache
