#include "apache/commands.h"

#include <string>
#include <vector>

#include "apache/config.h"
#include "apache/guarded.h"
#include "apache/pool.h"
#include "apache/process_groups.h"
#include "apache/script_directives.h"
#include "apache/words.h"
#include "pyhost/gateway/directives.h"

namespace pyhost::apache {
namespace {

using gateway::Directive;
using gateway::Scope;
using gateway::ScriptDirective;

constexpr char kInternalError[] = "mod_pyhost failed internally; the error log says more";

const Directive& directive_of(const cmd_parms* cmd) {
  return *static_cast<const Directive*>(cmd->info);
}

const char* set_value(cmd_parms* cmd, void* directory, const char* text) {
  const Directive& directive = directive_of(cmd);
  base::Result<> assigned;
  if (std::holds_alternative<gateway::Setting<gateway::ProcessSettings>>(directive.meaning)) {
    if (const char* error = ap_check_cmd_context(cmd, GLOBAL_ONLY)) return error;
    assigned = gateway::assign(directive, server_config(cmd->server).process, text);
  } else {
    // A path means a section or a .htaccess file.
    auto& record = cmd->path != nullptr ? static_cast<DirectoryConfig*>(directory)->request
                                        : server_config(cmd->server).request;
    assigned = gateway::assign(directive, record, text);
  }
  return assigned ? nullptr : pool_c_string(cmd->pool, assigned.error().sentence);
}

// All words of the line as one text.
const char* set_words(cmd_parms* cmd, void* directory, const char* arguments) {
  std::string text;
  for (Words words(cmd, arguments); !words.at_end();) {
    const std::string_view word = words.next();
    if (word.empty() || word.find(' ') != word.npos) {
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
    case Scope::fileinfo:
      break;
  }
  return OR_FILEINFO;
}

command_rec command_of(const Directive& directive) {
  auto* info = const_cast<void*>(static_cast<const void*>(&directive));
  const int places = allowed_places(directive.scope);
  if (const auto* script = std::get_if<ScriptDirective>(&directive.meaning)) {
    return AP_INIT_RAW_ARGS(directive.name, script_setter(*script), info, places,
                            directive.accepted);
  }
  if (directive.words == gateway::WordCount::any) {
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
    for (const Directive& directive : gateway::all_directives()) {
      commands.push_back(command_of(directive));
    }
    commands.emplace_back();
    return commands;
  }();
  return table.data();
}

}  // namespace pyhost::apache
