#include "apache/config/served_targets.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "apache/config/config.h"
#include "apache/config/hook_directives.h"
#include "apache/config/mapped_paths.h"
#include "apache/config/process_groups.h"
#include "apache/config/sections.h"
#include "apache/pool.h"
#include "apache/request/jail.h"
#include "base/path_pattern.h"
#include "settings/global_name.h"

namespace pyhost::apache {
namespace {

// Whether WSGIProcessGroup or process-group= `name` can mean the group.
bool can_mean(std::string_view name, const DaemonGroup& group) {
  if (name == settings::kGlobalName) return false;
  return name.starts_with("%{") || name == group.options.name;
}

bool can_mean(const std::optional<std::string_view>& name, const DaemonGroup& group) {
  return name && can_mean(*name, group);
}

// The script of an alias that may go on behind it: the part that is a file, or all of it when there
// is none yet.
std::string_view script_of(std::string_view target) {
  for (std::string_view path = target; path.size() > 1; path = path.substr(0, path.rfind('/'))) {
    std::error_code missing;
    if (std::filesystem::is_regular_file(path, missing)) return path;
  }
  return target;
}

// Whether a script may send requests of the server to any group.
bool may_dispatch(const server_rec* s, const std::vector<const DirectoryConfig*>& sections) {
  constexpr auto kDispatch = settings::Hook::dispatch;
  if (hook_or_null(server_config(s).hooks, kDispatch) != nullptr) return true;
  return std::ranges::any_of(sections, [](const DirectoryConfig* section) {
    return hook_or_null(section->hooks, kDispatch) != nullptr;
  });
}

class Survey {
 public:
  explicit Survey(const DaemonGroup& group) : group_(group) {}

  void add(const GroupServices::Host& host);
  GroupService result() &&;

 private:
  void add_alias(const ScriptAlias& alias);
  void add_handlers(HandlerScripts handlers, bool by_setting);
  void add_script(std::string_view path);
  void add_folder(std::string_view path);
  void add_mapped(const std::string& path);

  const DaemonGroup& group_;
  // Paths as the workers see them.
  std::set<std::string> scripts_;
  std::set<std::string> folders_;
  std::set<std::string> patterns_;
  std::set<std::string> modules_;
  // Script or module, and callable.
  std::set<std::pair<std::string_view, std::string_view>> applications_;
  bool countable_ = true;
};

void Survey::add_folder(std::string_view path) {
  if (!path.starts_with('/') || path == "/") return;
  if (const auto seen = path_in_jail(&group_, path)) {
    folders_.insert(std::string(*seen).append(seen->ends_with('/') ? "" : "/"));
  }
}

// A file, a folder or a pattern of both.
void Survey::add_mapped(const std::string& path) {
  const auto seen = path_in_jail(&group_, path);
  if (!seen || seen->empty()) return;
  if (base::is_pattern(*seen)) {
    patterns_.emplace(*seen);
  } else {
    scripts_.emplace(*seen);
    add_folder(path);
  }
}

// An alias may go on behind its script. Where the script ends is known when the file is there,
// which need not be now.
void Survey::add_script(std::string_view path) {
  for (; path.starts_with('/') && path.size() > 1; path = path.substr(0, path.rfind('/')))
    scripts_.emplace(path);
}

void Survey::add_alias(const ScriptAlias& alias) {
  const std::string_view callable = alias.settings.callable_object.value_or("");
  const bool is_module = alias.kind == gateway::TargetKind::module;
  applications_.emplace(is_module ? alias.target : script_of(alias.target), callable);
  if (is_module) {
    modules_.emplace(alias.target);
    return;
  }
  const auto variable = alias.target.find('$');
  const bool one_script = variable == alias.target.npos && !alias.target.ends_with('/');
  if (one_script) {
    if (const auto seen = path_in_jail(&group_, alias.target)) add_script(*seen);
    return;
  }
  countable_ = false;
  add_folder(alias.target.substr(0, alias.target.rfind('/', variable) + 1));
}

void Survey::add_handlers(HandlerScripts handlers, bool by_setting) {
  for (const HandlerScript* handler : handlers) {
    const auto& name = handler->settings.process_group;
    if (!(name ? can_mean(*name, group_) : by_setting)) continue;
    applications_.emplace(handler->script, kHandlerCallable);
    if (const auto seen = path_in_jail(&group_, handler->script)) add_script(*seen);
  }
}

void Survey::add(const GroupServices::Host& host) {
  const server_rec* s = host.server;
  const bool is_meant =
      host.dispatched || host.by_variable || host.names.contains(group_.options.name);
  if (!is_meant || !may_use(s, group_)) return;
  bool by_setting = host.dispatched || can_mean(server_config(s).request.process_group, group_);
  for (const DirectoryConfig* section : host.sections) {
    by_setting |= can_mean(section->request.process_group, group_);
  }
  for (const ScriptAlias* alias : server_config(s).aliases) {
    const auto& name = alias->settings.process_group;
    if (host.dispatched || (name ? can_mean(*name, group_) : by_setting)) add_alias(*alias);
  }
  add_handlers(server_config(s).handlers, by_setting);
  for (const DirectoryConfig* section : host.sections) add_handlers(section->handlers, by_setting);
  if (!by_setting) return;
  // Files that are given to the handler.
  for (const std::string& path : mapped_paths_of(s)) add_mapped(path);
}

GroupService Survey::result() && {
  GroupService service;
  service.targets.scripts.assign(scripts_.begin(), scripts_.end());
  service.targets.folders.assign(folders_.begin(), folders_.end());
  service.targets.patterns.assign(patterns_.begin(), patterns_.end());
  service.targets.modules.assign(modules_.begin(), modules_.end());
  if (countable_ && applications_.size() == 1) service.only_script = applications_.begin()->first;
  return service;
}

GroupServices::Host host_of(const server_rec* s) {
  GroupServices::Host host{.server = s};
  for (const auto* section : sections_of(s)) {
    if (const auto* own = directory_config_or_null(section)) host.sections.push_back(own);
  }
  host.dispatched = may_dispatch(s, host.sections);
  const auto note = [&host](const settings::RequestSettings& settings) {
    const auto& name = settings.process_group;
    if (!name || *name == settings::kGlobalName) return;
    host.by_variable |= name->starts_with("%{");
    host.names.insert(*name);
  };
  const auto note_handlers = [&note](HandlerScripts handlers) {
    for (const HandlerScript* handler : handlers) note(handler->settings);
  };
  note(server_config(s).request);
  for (const ScriptAlias* alias : server_config(s).aliases) note(alias->settings);
  note_handlers(server_config(s).handlers);
  for (const DirectoryConfig* section : host.sections) {
    note(section->request);
    note_handlers(section->handlers);
  }
  return host;
}

}  // namespace

GroupServices::GroupServices(const server_rec* main_server) : main_server_(main_server) {
  for (const server_rec* s = main_server; s != nullptr; s = s->next) hosts_.push_back(host_of(s));
}

GroupService GroupServices::of(const DaemonGroup& group) const {
  Survey survey(group);
  for (const Host& host : hosts_) survey.add(host);
  GroupService service = std::move(survey).result();
  service.targets.hooks = hooks_of(main_server_, group).scripts;
  return service;
}

}  // namespace pyhost::apache
