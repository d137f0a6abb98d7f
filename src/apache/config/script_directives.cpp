#include "apache/config/script_directives.h"

#include <fmt/format.h>

#include <string>

#include "apache/config/config.h"
#include "apache/config/places.h"
#include "apache/config/words.h"
#include "apache/pool.h"
#include "apache/request/alias.h"
#include "pyhost/base/result.h"
#include "settings/directives.h"

namespace pyhost::apache {
namespace {

std::string known_options() {
  std::string keys;
  for (const settings::Directive& directive : settings::all_directives()) {
    if (directive.option == nullptr) continue;
    keys += fmt::format("{}{}=", keys.empty() ? "" : ", ", directive.option);
  }
  return keys;
}

base::Result<settings::RequestSettings> read_options(cmd_parms* cmd, Words& words) {
  settings::RequestSettings settings;
  PoolMemory memory(cmd->pool);
  while (!words.at_end()) {
    PH_TRY(option, words.next_option());
    const auto& [key, value] = option;
    const settings::Directive* directive = settings::find_alias_option(key);
    if (directive == nullptr) {
      return base::fail(fmt::format("{}: unknown option '{}'; known are {}", cmd->cmd->name, key,
                                    known_options()));
    }
    if (auto assigned = settings::assign(*directive, settings, value, memory); !assigned) {
      return base::fail(fmt::format("{} {}=: {}", cmd->cmd->name, key, assigned.error().sentence));
    }
  }
  return settings;
}

// A script's path; one that is not absolute is below ServerRoot.
base::Result<std::string_view> read_path(cmd_parms* cmd, std::string_view text) {
  const char* path = ap_server_root_relative(cmd->pool, pool_c_string(cmd->pool, text));
  if (path != nullptr) return path;
  return base::fail(fmt::format("{}: '{}' is not a possible path", cmd->cmd->name, text));
}

// Fills in what is to run: a module's callable, or a file below ServerRoot if it is not absolute.
base::Result<> read_target(cmd_parms* cmd, std::string_view text, ScriptAlias& alias) {
  std::string_view module;
  std::string_view callable;
  if (gateway::split_module_target(text, module, callable)) {
    if (text.find('$') != text.npos) {
      return base::fail(
          fmt::format("{}: '{}' lets the client choose a module; only a file may contain '$'",
                      cmd->cmd->name, text));
    }
    alias.kind = gateway::TargetKind::module;
    alias.target = pool_copy(cmd->pool, module);
    alias.settings.callable_object = pool_copy(cmd->pool, callable);
    return {};
  }
  PH_TRY(path, read_path(cmd, text));
  alias.target = path;
  return {};
}

bool is_literal(std::optional<std::string_view> name) {
  return name && (*name == settings::kGlobalName || !name->starts_with("%{"));
}

std::string_view literal_group(std::string_view name) {
  return name == settings::kGlobalName ? gateway::kMainInterpreter : name;
}

base::Result<ScriptAlias*> read_alias(cmd_parms* cmd, const char* arguments, Words& words) {
  const auto target = words.next();
  if (target.empty()) {
    return base::fail(fmt::format("{} takes {}", cmd->cmd->name, cmd->cmd->errmsg));
  }
  auto* alias = pool_new<ScriptAlias>(cmd->pool);
  alias->written = apr_pstrcat(cmd->pool, cmd->cmd->name, " ", arguments, nullptr);
  alias->place = place_of(cmd);
  PH_TRY(settings, read_options(cmd, words));
  alias->settings = settings;
  if (auto read = read_target(cmd, target, *alias); !read) return tl::unexpected(read.error());
  return alias;
}

void add_preload(cmd_parms* cmd, const ScriptAlias& script) {
  server_config(cmd->server)
      .preloads.push_back(
          {.written = script.written,
           .place = script.place,
           .process_group = literal_group(*script.settings.process_group),
           .import = {
               .application_group = std::string(literal_group(*script.settings.application_group)),
               .script = std::string(script.target),
               .callable = std::string(script.settings.callable_object.value_or("")),
               .kind = script.kind}});
}

void add_alias(cmd_parms* cmd, const ScriptAlias* alias) {
  server_config(cmd->server).aliases.push_back(alias);
  const bool one_script =
      alias->target.find('$') == alias->target.npos && !alias->target.ends_with('/');
  if (is_literal(alias->settings.process_group) && is_literal(alias->settings.application_group) &&
      one_script) {
    add_preload(cmd, *alias);
  }
}

base::Result<> read_import(cmd_parms* cmd, const char* arguments, Words& words) {
  const char* name = cmd->cmd->name;
  const auto path = words.next();
  if (path.empty()) return base::fail(fmt::format("{} takes {}", name, cmd->cmd->errmsg));
  PH_TRY(settings, read_options(cmd, words));
  if (!settings.process_group || !settings.application_group) {
    return base::fail(
        fmt::format("{} needs {}", name,
                    settings.process_group ? "application-group=name" : "process-group=%{GLOBAL}"));
  }
  if (!is_literal(settings.process_group)) {
    return base::fail(
        fmt::format("{}: the process group {} is only known once there is a request; give a name "
                    "or %{{GLOBAL}}",
                    name, *settings.process_group));
  }
  if (settings.callable_object || settings.pass_authorization || settings.interface) {
    return base::fail(fmt::format("{} only knows process-group= and application-group=", name));
  }
  ScriptAlias script{.written = apr_pstrcat(cmd->pool, name, " ", arguments, nullptr),
                     .place = place_of(cmd),
                     .settings = settings};
  PH_TRY_VOID(read_target(cmd, path, script));
  add_preload(cmd, script);
  return {};
}

base::Result<const HandlerScript*> read_handler(cmd_parms* cmd, const char* arguments) {
  const char* directive = cmd->cmd->name;
  Words words(cmd, arguments);
  const auto name = words.next();
  const auto path = words.next();
  if (name.empty() || path.empty()) {
    return base::fail(fmt::format("{} takes {}", directive, cmd->cmd->errmsg));
  }
  if (name == kHandler || name == kLegacyHandler) {
    return base::fail(
        fmt::format("{}: '{}' is the handler of script files; give another name", directive, name));
  }
  PH_TRY(settings, read_options(cmd, words));
  if (settings.callable_object || settings.interface) {
    return base::fail(fmt::format(
        "{} only knows process-group=, application-group= and pass-authorization=; the callable is "
        "{}",
        directive, kHandlerCallable));
  }
  settings.callable_object = kHandlerCallable;
  PH_TRY(script, read_path(cmd, path));
  return pool_new<HandlerScript>(
      cmd->pool,
      HandlerScript{.written = apr_pstrcat(cmd->pool, directive, " ", arguments, nullptr),
                    .place = place_of(cmd),
                    .name = name,
                    .script = script,
                    .settings = settings});
}

}  // namespace

const char* add_script_alias(cmd_parms* cmd, void*, const char* arguments) {
  Words words(cmd, arguments);
  const auto path = words.next();
  const auto alias = read_alias(cmd, arguments, words);
  if (!alias) return as_httpd_error(cmd, alias.error());
  if (path.empty()) return apr_psprintf(cmd->pool, "%s: '' is no URL path", cmd->cmd->name);
  (*alias)->path = path;
  add_alias(cmd, *alias);
  return nullptr;
}

const char* add_script_alias_match(cmd_parms* cmd, void*, const char* arguments) {
  Words words(cmd, arguments);
  const auto expression = words.next();
  const auto alias = read_alias(cmd, arguments, words);
  if (!alias) return as_httpd_error(cmd, alias.error());
  (*alias)->regex = ap_pregcomp(cmd->pool, expression.data(), AP_REG_EXTENDED);
  if ((*alias)->regex == nullptr) {
    return apr_psprintf(cmd->pool, "%s: '%s' is not a regular expression", cmd->cmd->name,
                        expression.data());
  }
  add_alias(cmd, *alias);
  return nullptr;
}

const char* add_handler_script(cmd_parms* cmd, void* directory, const char* arguments) {
  const auto handler = read_handler(cmd, arguments);
  if (!handler) return as_httpd_error(cmd, handler.error());
  // A path means a section.
  auto& handlers = cmd->path != nullptr ? static_cast<DirectoryConfig*>(directory)->handlers
                                        : server_config(cmd->server).handlers;
  handlers = with_handler(cmd->pool, *handler, handlers);
  return nullptr;
}

const char* add_import_script(cmd_parms* cmd, void*, const char* arguments) {
  Words words(cmd, arguments);
  const auto read = read_import(cmd, arguments, words);
  return read ? nullptr : as_httpd_error(cmd, read.error());
}

}  // namespace pyhost::apache
