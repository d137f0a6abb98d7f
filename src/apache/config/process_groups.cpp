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

// A definition that is there once more is a reference to the first one: tools copy virtual hosts.
// One with other options is refused.
void merge_definitions(std::vector<DaemonGroup*>& groups, Findings& findings) {
  std::vector<DaemonGroup*> first_ones;
  for (DaemonGroup* group : groups) {
    const std::string& name = group->options.name;
    const auto first = std::ranges::find(
        first_ones, name, [](const DaemonGroup* each) { return each->options.name; });
    if (first == first_ones.end()) {
      first_ones.push_back(group);
      continue;
    }
    const auto difference = settings::first_difference((*first)->options, group->options);
    if (!difference) {
      (*first)->repeated_in.push_back(group->server);
      continue;
    }
    findings.refuse(group->server,
                    {.sentence = fmt::format("WSGIDaemonProcess {}: {}=: the name is taken by the "
                                             "one at {}, which has {}, and this one {}",
                                             name, difference->key, (*first)->place,
                                             difference->first, difference->second),
                     .cure = "give both the same options, or this one a name of its own"},
                    group->place);
  }
  groups = std::move(first_ones);
}

// Finds options that name a user or group nobody knows.
void resolve_users(DaemonGroup& group, Findings& findings) {
  const auto refuse = [&](const char* option, const base::Error& error) {
    findings.refuse(
        group.server,
        {fmt::format("WSGIDaemonProcess {}: {}: {}", group.options.name, option, error.sentence)},
        group.place);
  };
  if (const std::string& name = group.options.script_user; !name.empty()) {
    const auto uid = launch::resolve_user_id(name);
    if (!uid) return refuse("script-user=", uid.error());
    group.script_owner.user = *uid;
    group.script_owner.user_name = name;
  }
  if (const std::string& name = group.options.script_group; !name.empty()) {
    const auto gid = launch::resolve_group_id(name);
    if (!gid) return refuse("script-group=", gid.error());
    group.script_owner.group = *gid;
    group.script_owner.group_name = name;
  }
  if (const std::string& name = group.options.socket_user; !name.empty()) {
    const auto uid = launch::resolve_user_id(name);
    if (!uid) refuse("socket-user=", uid.error());
  }
}

void check_preload(const server_rec* s, const Preload& script, Findings& findings) {
  if (script.process_group.empty()) return;
  const DaemonGroup* group = find_process_group(script.process_group);
  if (group == nullptr) {
    findings.refuse(
        s, {fmt::format("{}: {}", script.written, describe_unknown_group(script.process_group))},
        script.place);
  } else if (!may_use(s, *group)) {
    findings.refuse(
        s,
        {fmt::format("{}: the process group '{}' belongs to the virtual host '{}' and this one is "
                     "'{}'; give both the same ServerName, or define the group in the main server",
                     script.written, script.process_group,
                     view_or_empty(group->server->server_hostname),
                     view_or_empty(s->server_hostname))},
        script.place);
  }
}

bool is_of_same_name(const server_rec* one, const server_rec* other) {
  return one->server_hostname != nullptr && other->server_hostname != nullptr &&
         base::equals_ignoring_case(one->server_hostname, other->server_hostname);
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
  const auto is_open = [s](const server_rec* home) {
    return s == home || !home->is_virtual || is_of_same_name(s, home);
  };
  return is_open(group.server) || std::ranges::any_of(group.repeated_in, is_open);
}

void check_process_groups(server_rec* main_server, Findings& findings) {
  auto& groups = server_config(main_server).all_groups;
  groups.clear();
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    if (!has_own_config(s)) continue;
    const auto& own = server_config(s).groups;
    groups.insert(groups.end(), own.begin(), own.end());
  }
  merge_definitions(groups, findings);
  for (DaemonGroup* group : groups) resolve_users(*group, findings);
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    if (!has_own_config(s)) continue;
    for (const Preload& script : server_config(s).preloads) check_preload(s, script, findings);
  }
  check_group_references(main_server, findings);
}

}  // namespace pyhost::apache
