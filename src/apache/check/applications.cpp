#include "apache/check/applications.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "apache/config/group_routes.h"
#include "apache/config/process_groups.h"
#include "apache/config/worker_config.h"
#include "apache/pool.h"
#include "launch/credentials.h"
#include "settings/directives.h"

namespace pyhost::apache {
namespace {

settings::RequestSettings settings_from(const server_rec* s, const ScriptAlias& alias,
                                        GroupSource section) {
  auto settings = alias.settings;
  if (section != nullptr) settings = settings::inherit(settings, section->request);
  return settings::inherit(settings, server_config(s).request);
}

void add(const server_rec* s, const ScriptAlias& alias, std::vector<Application>& applications) {
  std::set<std::string_view> groups;
  const auto add_one = [&](GroupSource section) {
    Application application{
        .server = s, .alias = &alias, .settings = settings_from(s, alias, section)};
    const std::string_view name = *application.settings.process_group;
    if (name != settings::kGlobalName) application.group_name = name;
    if (!groups.insert(application.group_name).second) return;
    application.group = find_process_group(application.group_name);
    applications.push_back(application);
  };
  if (alias.settings.process_group) return add_one(nullptr);
  const auto sections = group_sources(s, alias);
  for (const GroupSource section : sections) add_one(section);
  if (sections.empty()) add_one(nullptr);
}

}  // namespace

std::vector<Application> applications_of(const server_rec* main_server) {
  std::vector<Application> applications;
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    if (!may_get_requests(s)) continue;
    for (const ScriptAlias* alias : server_config(s).aliases) {
      if (!is_shadowed(s, *alias)) add(s, *alias, applications);
    }
  }
  return applications;
}

std::string user_of(const DaemonGroup* group) {
  const auto credentials = launch::resolve_credentials(
      group == nullptr ? settings::ProcessGroup() : group->options, httpd_identity());
  if (!credentials) return "";
  return credentials->user_name.empty() ? fmt::format("#{}", credentials->uid)
                                        : credentials->user_name;
}

std::string name_of(const server_rec* s) {
  const auto* address = s->addrs;
  const unsigned port = s->is_virtual && address != nullptr ? address->host_port : s->port;
  const std::string_view name = view_or_empty(s->server_hostname);
  return port == 0 ? std::string(name) : fmt::format("{}:{}", name, port);
}

std::string place_of(const server_rec* s) {
  if (s->defn_name == nullptr) return "";
  return fmt::format("{}:{}", s->defn_name, s->defn_line_number);
}

std::string target_of(const ScriptAlias& alias) {
  if (alias.kind == gateway::TargetKind::file) return std::string(alias.target);
  return fmt::format("{}:{}", alias.target, alias.settings.callable_object.value_or(""));
}

std::string url_of(const ScriptAlias& alias) {
  if (alias.regex == nullptr) return std::string(alias.path);
  // Behind the directive's name stands the expression.
  std::string_view line = alias.written;
  line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
  return std::string(line.substr(0, line.find_first_of(" \t")));
}

bool names_one_script(const ScriptAlias& alias) {
  return alias.kind == gateway::TargetKind::file && alias.regex == nullptr &&
         !alias.target.ends_with('/');
}

}  // namespace pyhost::apache
