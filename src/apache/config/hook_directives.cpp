#include "apache/config/hook_directives.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "apache/config/config.h"
#include "apache/config/places.h"
#include "apache/config/process_groups.h"
#include "apache/config/words.h"
#include "apache/pool.h"
#include "apache/request/jail.h"
#include "base/parse.h"
#include "settings/directives.h"

namespace pyhost::apache {
namespace {

using settings::Hook;

constexpr std::string_view kTimeoutOption = "timeout";

// .htaccess files are read for a request, when the configuration does not change any more.
bool is_in_htaccess() {
  return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_RUN_MPM;
}

bool has_one_function(Hook hook) noexcept {
  return hook != Hook::auth_user && hook != Hook::dispatch;
}

base::Result<std::chrono::milliseconds> read_timeout(const cmd_parms* cmd, std::string_view text) {
  constexpr std::chrono::milliseconds kSecond{1000};
  const auto time = base::parse_duration(text, kSecond);
  if (time && time->count() > 0) return *time;
  return base::fail(
      fmt::format("{} timeout=: '{}' is not accepted; give a time above 0, such as "
                  "2s or 500ms",
                  cmd->cmd->name, text));
}

// The options that aliases have, too.
base::Result<> read_setting(const cmd_parms* cmd, Hook hook, std::string_view key,
                            std::string_view value, settings::RequestSettings& read) {
  const bool known = key == "process-group" || key == "application-group" ||
                     (key == "callable-object" && has_one_function(hook));
  if (!known) {
    return base::fail(
        fmt::format("{}: unknown option '{}'; known are process-group=, application-group=, "
                    "timeout={}",
                    cmd->cmd->name, key, has_one_function(hook) ? ", callable-object=" : ""));
  }
  PoolMemory memory(cmd->pool);
  const auto assigned = settings::assign(*settings::find_alias_option(key), read, value, memory);
  if (assigned) return {};
  return base::fail(fmt::format("{} {}=: {}", cmd->cmd->name, key, assigned.error().sentence));
}

base::Result<> read_options(cmd_parms* cmd, Words& words, HookScript& hook) {
  settings::RequestSettings read;
  bool has_timeout = false;
  while (!words.at_end()) {
    PH_TRY(option, words.next_option());
    const auto& [key, value] = option;
    if (key == kTimeoutOption) {
      PH_TRY(time, read_timeout(cmd, value));
      hook.timeout = time;
      has_timeout = true;
    } else {
      PH_TRY_VOID(read_setting(cmd, hook.hook, key, value, read));
    }
  }
  const auto literal = [](std::optional<std::string_view> name) {
    return name && *name != settings::kGlobalName ? *name : std::string_view();
  };
  hook.process_group = literal(read.process_group);
  hook.application_group = literal(read.application_group);
  if (read.callable_object) hook.callable = *read.callable_object;
  if (has_timeout && hook.process_group.empty()) {
    return base::fail(
        fmt::format("{}: timeout= needs process-group=; a thread of httpd cannot be "
                    "taken back from a script",
                    cmd->cmd->name));
  }
  return {};
}

// What only a request can tell is not for hooks to depend on.
base::Result<> check_names(const cmd_parms* cmd, const HookScript& hook) {
  const std::string_view group = hook.process_group;
  const std::string_view interpreter = hook.application_group;
  if (group.starts_with("%{")) {
    return base::fail(
        fmt::format("{}: the process group {} is only known once there is a request; "
                    "give a name or %{{GLOBAL}}",
                    cmd->cmd->name, group));
  }
  const bool expands = interpreter == "%{SERVER}" || interpreter == "%{HOST}";
  if (interpreter.starts_with("%{") && !expands) {
    return base::fail(
        fmt::format("{}: the application group {} is not for hook scripts; give a "
                    "name, %{{GLOBAL}}, %{{SERVER}} or %{{HOST}}",
                    cmd->cmd->name, interpreter));
  }
  return {};
}

base::Result<> check_htaccess(const cmd_parms* cmd, const HookScript& hook) {
  if (!hook.process_group.empty()) {
    return base::fail(
        fmt::format("{}: a .htaccess file cannot send a script to a process group; "
                    "name it in a section of the configuration",
                    cmd->cmd->name));
  }
  if (!*process_settings().restrict_embedded) return {};
  return base::fail(
      fmt::format("{}: httpd's own processes run no Python (WSGIRestrictEmbedded On), "
                  "and a .htaccess file cannot name a process group",
                  cmd->cmd->name));
}

base::Result<> read_target(cmd_parms* cmd, std::string_view text, HookScript& hook) {
  std::string_view module;
  std::string_view callable;
  if (has_one_function(hook.hook) && gateway::split_module_target(text, module, callable)) {
    hook.kind = gateway::TargetKind::module;
    hook.script = pool_copy(cmd->pool, module);
    hook.callable = pool_copy(cmd->pool, callable);
    return {};
  }
  const char* path = ap_server_root_relative(cmd->pool, pool_c_string(cmd->pool, text));
  if (path == nullptr) {
    return base::fail(fmt::format("{}: '{}' is not a possible path", cmd->cmd->name, text));
  }
  hook.script = path;
  return {};
}

base::Result<HookScript*> read_hook(cmd_parms* cmd, const char* arguments) {
  const auto& directive = *static_cast<const settings::Directive*>(cmd->info);
  auto* hook = pool_new<HookScript>(cmd->pool);
  hook->hook = std::get<Hook>(directive.meaning);
  hook->written = apr_pstrcat(cmd->pool, cmd->cmd->name, " ", arguments, nullptr);
  Words words(cmd, arguments);
  const auto target = words.next();
  if (target.empty()) {
    return base::fail(fmt::format("{} takes {}", cmd->cmd->name, cmd->cmd->errmsg));
  }
  PH_TRY_VOID(read_options(cmd, words, *hook));
  PH_TRY_VOID(check_names(cmd, *hook));
  PH_TRY_VOID(read_target(cmd, target, *hook));
  if (is_in_htaccess()) {
    PH_TRY_VOID(check_htaccess(cmd, *hook));
  } else {
    hook->place = place_of(cmd);
  }
  return hook;
}

// Why it cannot be asked, and the cure; nothing when it can.
std::optional<Diagnosis> diagnose(const HookScript& hook) {
  if (hook.process_group.empty()) {
    if (!*process_settings().restrict_embedded) return std::nullopt;
    return Diagnosis{"httpd's own processes run no Python (WSGIRestrictEmbedded On)",
                     "add process-group="};
  }
  const DaemonGroup* group = find_process_group(hook.process_group);
  if (group == nullptr) return Diagnosis{describe_unknown_group(hook.process_group)};
  if (group->options.threads == 0) {
    return Diagnosis{
        fmt::format("the process group '{}' takes no requests (threads=0)", hook.process_group)};
  }
  if (hook.kind == gateway::TargetKind::file && !path_in_jail(group, hook.script)) {
    return Diagnosis{fmt::format("the script is not below chroot={} of the process group '{}'",
                                 group->options.chroot, hook.process_group)};
  }
  return std::nullopt;
}

}  // namespace

const char* add_hook_script(cmd_parms* cmd, void* directory, const char* arguments) {
  const auto read = read_hook(cmd, arguments);
  if (!read) return as_httpd_error(cmd, read.error());
  const HookScript* hook = *read;
  ServerConfig& server = server_config(cmd->server);
  HookScripts& hooks =
      cmd->path != nullptr ? static_cast<DirectoryConfig*>(directory)->hooks : server.hooks;
  hooks[static_cast<std::size_t>(hook->hook)] = hook;
  if (!is_in_htaccess()) server.hook_lines.push_back(hook);
  return nullptr;
}

void check_hook_scripts(const server_rec* main_server, Findings& findings) {
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    if (!has_own_config(s)) continue;
    for (const HookScript* hook : server_config(s).hook_lines) {
      auto diagnosis = diagnose(*hook);
      if (!diagnosis) continue;
      diagnosis->sentence = fmt::format("{}: {}", hook->written, diagnosis->sentence);
      findings.refuse(s, *std::move(diagnosis), hook->place);
    }
  }
}

GroupHooks hooks_of(const server_rec* main_server, const DaemonGroup& group) {
  GroupHooks hooks;
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    if (!has_own_config(s)) continue;
    for (const HookScript* hook : server_config(s).hook_lines) {
      if (hook->process_group != group.options.name) continue;
      const bool is_file = hook->kind == gateway::TargetKind::file;
      const std::string script(is_file ? path_in_jail(&group, hook->script).value_or("")
                                       : hook->script);
      if (std::ranges::find(hooks.scripts, script) == hooks.scripts.end()) {
        hooks.scripts.push_back(script);
      }
      const gateway::Script preload{.application_group = std::string(hook->application_group),
                                    .script = script,
                                    .callable = {},
                                    .kind = hook->kind};
      const bool named = !hook->application_group.starts_with("%{");
      if (named && std::ranges::find(hooks.preloads, preload) == hooks.preloads.end()) {
        hooks.preloads.push_back(preload);
      }
    }
  }
  return hooks;
}

}  // namespace pyhost::apache
