// The scripts that lines other than aliases name: those of handlers and hooks, and what is imported
// before there are requests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apache/config/config.h"

namespace pyhost::apache {

// One line that names a script, and where the script runs. Of an import whose application group
// means several there is one for each.
struct NamedScript {
  const server_rec* server = nullptr;
  std::string_view written;  // the whole line; ends with a NUL
  const char* place = nullptr;
  gateway::TargetKind kind = gateway::TargetKind::file;
  std::string_view script;  // a path, or the name of a module
  std::string_view callable;
  std::string_view group_name;         // "" is httpd's children
  const DaemonGroup* group = nullptr;  // of that name
  std::string_view application_group;  // "" is the main interpreter
  // Whether only a request tells the process group.
  bool depends_on_request = false;
};

// In the order of the files for each server. PRECONDITION: check_process_groups() has run.
std::vector<NamedScript> named_scripts_of(const server_rec* main_server);

// "WSGIAccessScript".
std::string_view directive_of(const NamedScript& script);
// "/srv/hooks/access.py", "package.module:callable".
std::string script_of(const NamedScript& script);

}  // namespace pyhost::apache
