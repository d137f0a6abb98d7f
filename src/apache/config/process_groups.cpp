#include "apache/config/process_groups.h"

#include <fmt/format.h>

#include <algorithm>

#include "apache/config/config.h"
#include "apache/config/group_references.h"
#include "apache/config/places.h"
#include "apache/config/words.h"
#include "apache/pool.h"
#include "base/nearest.h"
#include "base/parse.h"
#include "launch/credentials.h"

namespace pyhost::apache {
namespace {

base::Result<> read_options(Words& words, settings::ProcessGroup& group) {
  while (!words.at_end()) {
    PH_TRY(option, words.next_option());
    PH_TRY_VOID(settings::parse_process_group_option(group, option.first, option.second));
  }
  return settings::check_process_group(group);
}

base::Result<> check_names(const std::vector<DaemonGroup*>& groups) {
  for (auto each = groups.begin(); each != groups.end(); ++each) {
    const std::string& name = (*each)->options.name;
    const auto first = std::find_if(groups.begin(), each, [&name](const DaemonGroup* other) {
      return other->options.name == name;
    });
    if (first == each) continue;
    return base::fail(
        with_place(fmt::format("WSGIDaemonProcess {}: the name is taken by the one at {}; give "
                               "each process group a name of its own",
                               name, (*first)->place),
                   (*each)->place));
  }
  return {};
}

// Fails with the option that names a user or group nobody knows.
base::Result<> resolve_users(DaemonGroup& group) {
  const auto in_context = [&group](const char* option, const base::Error& error) {
    return base::fail(with_place(
        fmt::format("WSGIDaemonProcess {}: {}: {}", group.options.name, option, error.sentence),
        group.place));
  };
  if (const std::string& name = group.options.script_user; !name.empty()) {
    const auto uid = launch::resolve_user_id(name);
    if (!uid) return in_context("script-user=", uid.error());
    group.script_owner.user = *uid;
    group.script_owner.user_name = name;
  }
  if (const std::string& name = group.options.script_group; !name.empty()) {
    const auto gid = launch::resolve_group_id(name);
    if (!gid) return in_context("script-group=", gid.error());
    group.script_owner.group = *gid;
    group.script_owner.group_name = name;
  }
  if (const std::string& name = group.options.socket_user; !name.empty()) {
    const auto uid = launch::resolve_user_id(name);
    if (!uid) return in_context("socket-user=", uid.error());
  }
  return {};
}

base::Result<> check_preload(const server_rec* s, const Preload& script) {
  if (script.process_group.empty()) return {};
  const DaemonGroup* group = find_process_group(script.process_group);
  if (group == nullptr) {
    return base::fail(with_place(
        fmt::format("{}: {}", script.written, describe_unknown_group(script.process_group)),
        script.place));
  }
  if (may_use(s, *group)) return {};
  return base::fail(with_place(
      fmt::format("{}: the process group '{}' belongs to the virtual host '{}' and this one is "
                  "'{}'; give both the same ServerName, or define the group in the main server",
                  script.written, script.process_group,
                  view_or_empty(group->server->server_hostname), view_or_empty(s->server_hostname)),
      script.place));
}

}  // namespace

const char* add_daemon_process(cmd_parms* cmd, void*, const char* arguments) {
  Words words(cmd, arguments);
  auto* group = pool_new<DaemonGroup>(cmd->pool);
  group->server = cmd->server;
  group->place = place_of(cmd);
  group->options.name = words.next();
  if (group->options.name.starts_with("%{")) {
    return apr_psprintf(cmd->pool, "WSGIDaemonProcess: '%s' cannot be the name of a group",
                        group->options.name.c_str());
  }
  if (const auto read = read_options(words, group->options); !read) {
    return as_httpd_error(cmd, read.error());
  }
  server_config(cmd->server).groups.push_back(group);
  return nullptr;
}

const std::vector<DaemonGroup*>& all_process_groups() {
  return server_config(ap_server_conf).all_groups;
}

const DaemonGroup* find_process_group(std::string_view name) {
  const auto& groups = all_process_groups();
  const auto found = std::ranges::find(
      groups, name, [](const DaemonGroup* group) { return std::string_view(group->options.name); });
  return found == groups.end() ? nullptr : *found;
}

std::string describe_unknown_group(std::string_view name) {
  std::vector<std::string_view> known;
  for (const DaemonGroup* group : all_process_groups()) known.push_back(group->options.name);
  return fmt::format("there is no process group '{}'{}; define it with WSGIDaemonProcess", name,
                     base::hint_at_nearest(name, known));
}

bool may_use(const server_rec* s, const DaemonGroup& group) {
  if (s == group.server || !group.server->is_virtual) return true;
  return s->server_hostname != nullptr && group.server->server_hostname != nullptr &&
         base::equals_ignoring_case(s->server_hostname, group.server->server_hostname);
}

base::Result<> check_process_groups(server_rec* main_server) {
  auto& groups = server_config(main_server).all_groups;
  groups.clear();
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    if (!has_own_config(s)) continue;
    const auto& own = server_config(s).groups;
    groups.insert(groups.end(), own.begin(), own.end());
  }
  PH_TRY_VOID(check_names(groups));
  for (DaemonGroup* group : groups) PH_TRY_VOID(resolve_users(*group));
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    if (!has_own_config(s)) continue;
    for (const Preload& script : server_config(s).preloads) PH_TRY_VOID(check_preload(s, script));
  }
  return check_group_references(main_server);
}

}  // namespace pyhost::apache
