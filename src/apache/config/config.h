// The module's configuration records, as httpd creates and merges them.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apache/config/daemon_group.h"
#include "apache/config/handler_scripts.h"
#include "apache/config/hook_script.h"
#include "apache/config/interpreter_sections.h"
#include "apache/config/module_records.h"
#include "apache/httpd_api.h"
#include "pyhost/gateway/target.h"
#include "settings/directives.h"
#include "settings/settings.h"

namespace pyhost::apache {

// One WSGIScriptAlias or WSGIScriptAliasMatch. Its texts end with a NUL.
struct ScriptAlias {
  const char* written = nullptr;      // the whole line
  const char* place = nullptr;        // where it stands, see places.h
  std::string_view path;              // of the URL; "" for a regular expression
  const ap_regex_t* regex = nullptr;  // WSGIScriptAliasMatch
  gateway::TargetKind kind = gateway::TargetKind::file;
  std::string_view target;             // a path, or the name of a module
  settings::RequestSettings settings;  // its options; with a module always the callable
};

// A script to import when a process of its group starts.
struct Preload {
  const char* written = nullptr;   // the whole line
  const char* place = nullptr;     // where it stands
  std::string_view process_group;  // "" is the httpd child itself
  gateway::Script import;
};

// A directive that is accepted without effect, and where it stands.
struct InertLine {
  const settings::Directive* directive = nullptr;
  const char* place = nullptr;
};

struct ServerConfig {
  settings::ProcessSettings process;  // the main server's only
  settings::RequestSettings request;
  // Where directives that hold for the server stand, by their names; see places.h.
  std::map<std::string_view, const char*> places;
  std::vector<const ScriptAlias*> aliases;
  HandlerScripts handlers;
  std::vector<Preload> preloads;                  // its own, not those of the main server
  std::vector<DaemonGroup*> groups;               // the same
  std::vector<InertLine> inert;                   // the same
  HookScripts hooks{};                            // of WSGIDispatchScript; others stand in sections
  std::vector<const HookScript*> hook_lines;      // its own, with those in its sections
  std::vector<InterpreterSection*> interpreters;  // the main server's only
  // Whether a child has said that an Authorization header was withheld.
  std::atomic<bool> authorization_noted = false;
  // Of all servers, once the configuration has been read; the main server's only.
  std::vector<DaemonGroup*> all_groups;
  // The servers whose LogLevel hides information, and does not name the module; the same.
  std::vector<const server_rec*> raised_levels;
};

struct DirectoryConfig {
  settings::RequestSettings request;
  HookScripts hooks{};
  HandlerScripts handlers{};
  // Where its WSGIProcessGroup stands.
  const char* group_place = nullptr;
  // Of a section as it is written, with a WSGIProcessGroup: whether the section itself gives files
  // to the handler.
  bool has_handler = false;
};

ServerConfig& server_config(const server_rec* s);
// Whether a virtual host's record is its own: one without a directive of the module shares the main
// server's.
bool has_own_config(const server_rec* s);
DirectoryConfig& directory_config(const ap_conf_vector_t* per_dir_config);

// The process settings of the whole server. PRECONDITION: complete_settings() has run.
const settings::ProcessSettings& process_settings();

// Fills the defaults in for every server, once the configuration has been read.
void complete_settings(server_rec* main_server);

}  // namespace pyhost::apache
