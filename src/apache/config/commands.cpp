#include "apache/config/commands.h"

#include <string>
#include <vector>

#include "apache/config/config.h"
#include "apache/config/hook_directives.h"
#include "apache/config/interpreter_sections.h"
#include "apache/config/places.h"
#include "apache/config/process_groups.h"
#include "apache/config/script_directives.h"
#include "apache/config/words.h"
#include "apache/guarded.h"
#include "apache/pool.h"
#include "apache/request/alias.h"
#include "base/parse.h"
#include "settings/directives.h"

namespace pyhost::apache {
namespace {

using settings::Directive;
using settings::Scope;
using settings::ScriptDirective;

constexpr char kInternalError[] = "mod_pyhost failed internally; the error log says more";

const Directive& directive_of(const cmd_parms* cmd) {
  return *static_cast<const Directive*>(cmd->info);
}

// Whether a directive stands beside another one that gives files to the module's handler.
bool stands_beside_handler(const ap_directive_t* directive) {
  if (directive->parent == nullptr) return false;
  for (const auto* each = directive->parent->first_child; each != nullptr; each = each->next) {
    const std::string_view name = each->directive;
    const bool sets = base::equals_ignoring_case(name, "SetHandler") ||
                      base::equals_ignoring_case(name, "AddHandler");
    const std::string_view arguments = view_or_empty(each->args);
    if (sets && (arguments.find(kHandler) != arguments.npos ||
                 arguments.find(kLegacyHandler) != arguments.npos)) {
      return true;
    }
  }
  return false;
}

// For WSGIProcessGroup in a section of the configuration. .htaccess files have none.
void note_section(const cmd_parms* cmd, DirectoryConfig& record) {
  if (&directive_of(cmd) != settings::find_alias_option("process-group")) return;
  record.group_place = place_of(cmd);
  record.has_handler = stands_beside_handler(cmd->directive);
}

// .htaccess files are read for a request, when the configuration does not change any more.
bool is_of_configuration() {
  return ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_RUN_MPM;
}

// A flag that is off asks for nothing.
const char* accept_inert(cmd_parms* cmd, const Directive& directive, const char* text) {
  if (const auto checked = settings::check_inert(directive, text); !checked) {
    return as_httpd_error(cmd, checked.error());
  }
  const bool asks = !base::equals_ignoring_case(text, "off");
  if (asks && is_of_configuration()) {
    server_config(cmd->server).inert.push_back({.directive = &directive, .place = place_of(cmd)});
  }
  return nullptr;
}

const char* refuse_in_section(cmd_parms* cmd, const Directive& directive) {
  return apr_psprintf(cmd->pool, "%s cannot stand in <WSGIInterpreterOptions>", directive.name);
}

const char* set_value(cmd_parms* cmd, void* directory, const char* text) {
  const Directive& directive = directive_of(cmd);
  InterpreterSection* const section = section_around(cmd);
  if (section != nullptr && !directive.of_interpreters) return refuse_in_section(cmd, directive);
  base::Result<> assigned;
  PoolMemory memory(cmd->pool);
  if (std::holds_alternative<settings::Inert>(directive.meaning)) {
    if (directive.scope == Scope::global) {
      if (const char* error = ap_check_cmd_context(cmd, GLOBAL_ONLY)) return error;
    }
    return accept_inert(cmd, directive, text);
  }
  if (std::holds_alternative<settings::Setting<settings::ProcessSettings>>(directive.meaning)) {
    if (const char* error = ap_check_cmd_context(cmd, GLOBAL_ONLY)) return error;
    auto& record = section != nullptr ? section->settings : server_config(cmd->server).process;
    assigned = settings::assign(directive, record, text, memory);
  } else {
    // A path means a section or a .htaccess file.
    auto& record = cmd->path != nullptr ? static_cast<DirectoryConfig*>(directory)->request
                                        : server_config(cmd->server).request;
    assigned = settings::assign(directive, record, text, memory);
    if (cmd->path != nullptr) note_section(cmd, *static_cast<DirectoryConfig*>(directory));
  }
  if (!assigned) return pool_c_string(cmd->pool, assigned.error().sentence);
  if (cmd->path == nullptr && section == nullptr)
    server_config(cmd->server).places[directive.name] = place_of(cmd);
  return nullptr;
}

// All words of the line as one text.
const char* set_words(cmd_parms* cmd, void* directory, const char* arguments) {
  std::string text;
  for (Words words(cmd, arguments); !words.at_end();) {
    const std::string_view word = words.next();
    if (word.empty()) continue;
    if (word.find(' ') != word.npos) {
      return apr_psprintf(cmd->pool, "%s: '%s' is not accepted; give %s", cmd->cmd->name,
                          word.data(), directive_of(cmd).accepted);
    }
    text.append(text.empty() ? "" : " ").append(word);
  }
  return set_value(cmd, directory, pool_c_string(cmd->pool, text));
}

using RawSetter = const char* (*)(cmd_parms*, void*, const char*);

RawSetter script_setter(ScriptDirective directive) {
  switch (directive) {
    case ScriptDirective::alias:
      return guarded<&add_script_alias, kInternalError>;
    case ScriptDirective::alias_match:
      return guarded<&add_script_alias_match, kInternalError>;
    case ScriptDirective::handler:
      return guarded<&add_handler_script, kInternalError>;
    case ScriptDirective::import:
      return guarded<&add_import_script, kInternalError>;
    case ScriptDirective::daemon_process:
      break;
  }
  return guarded<&add_daemon_process, kInternalError>;
}

int allowed_places(Scope scope) {
  switch (scope) {
    case Scope::global:
    case Scope::server:
      return RSRC_CONF;
    case Scope::directory:
      return RSRC_CONF | ACCESS_CONF;
    case Scope::authconfig:
      return OR_AUTHCFG;
    case Scope::fileinfo:
      break;
  }
  return OR_FILEINFO;
}

command_rec command_of(const Directive& directive) {
  auto* info = const_cast<void*>(static_cast<const void*>(&directive));
  const int places = allowed_places(directive.scope);
  if (std::holds_alternative<settings::OptionsSection>(directive.meaning)) {
    return AP_INIT_RAW_ARGS("<WSGIInterpreterOptions",
                            (guarded<&add_interpreter_section, kInternalError>), info, places,
                            directive.accepted);
  }
  if (const auto* script = std::get_if<ScriptDirective>(&directive.meaning)) {
    return AP_INIT_RAW_ARGS(directive.name, script_setter(*script), info, places,
                            directive.accepted);
  }
  if (std::holds_alternative<settings::Hook>(directive.meaning)) {
    constexpr auto setter = guarded<&add_hook_script, kInternalError>;
    return AP_INIT_RAW_ARGS(directive.name, setter, info, places, directive.accepted);
  }
  if (directive.words == settings::WordCount::any) {
    return AP_INIT_RAW_ARGS(directive.name, (guarded<&set_words, kInternalError>), info, places,
                            directive.accepted);
  }
  constexpr auto setter = guarded<&set_value, kInternalError>;
  return AP_INIT_TAKE1(directive.name, setter, info, places, directive.accepted);
}

}  // namespace

const command_rec* command_table() {
  static const auto table = [] {
    std::vector<command_rec> commands;
    for (const Directive& directive : settings::all_directives()) {
      commands.push_back(command_of(directive));
    }
    commands.emplace_back();
    return commands;
  }();
  return table.data();
}

}  // namespace pyhost::apache
