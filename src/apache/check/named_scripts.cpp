#include "apache/check/named_scripts.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "apache/config/process_groups.h"
#include "apache/config/sections.h"
#include "apache/pool.h"
#include "settings/global_name.h"

namespace pyhost::apache {
namespace {

std::string_view unless_global(std::string_view name) {
  return name == settings::kGlobalName ? "" : name;
}

// Whether a request may get another process group than the server's.
bool any_section_names_group(const server_rec* s) {
  return std::ranges::any_of(sections_of(s), [](const ap_conf_vector_t* section) {
    const auto* own = directory_config_or_null(section);
    return own != nullptr && own->request.process_group.has_value();
  });
}

class NamedScripts {
 public:
  void add(const server_rec* s);
  std::vector<NamedScript> result() && { return std::move(scripts_); }

 private:
  void add_hook(const server_rec* s, const HookScript& hook);
  void add_import(const server_rec* s, const Preload& preload);
  // Of a server, or of one of its sections.
  void add_handlers(const server_rec* s, HandlerScripts handlers, const DirectoryConfig* section);
  void add_handler(const server_rec* s, const HandlerScript& handler,
                   const DirectoryConfig* section);

  std::vector<NamedScript> scripts_;
  // A virtual host has those of the main server as well.
  std::set<const HandlerScript*> seen_;
};

void NamedScripts::add_hook(const server_rec* s, const HookScript& hook) {
  scripts_.push_back({.server = s,
                      .written = hook.written,
                      .place = hook.place,
                      .kind = hook.kind,
                      .script = hook.script,
                      .callable = hook.callable,
                      .group_name = hook.process_group,
                      .group = find_process_group(hook.process_group),
                      .application_group = hook.application_group});
}

// Aliases are imported, too, and are no lines of this kind.
void NamedScripts::add_import(const server_rec* s, const Preload& preload) {
  if (!std::string_view(preload.written).starts_with("WSGIImportScript")) return;
  scripts_.push_back({.server = s,
                      .written = preload.written,
                      .place = preload.place,
                      .kind = preload.import.kind,
                      .script = preload.import.script,
                      .callable = preload.import.callable,
                      .group_name = preload.process_group,
                      .group = find_process_group(preload.process_group),
                      .application_group = preload.import.application_group});
}

void NamedScripts::add_handler(const server_rec* s, const HandlerScript& handler,
                               const DirectoryConfig* section) {
  if (!seen_.insert(&handler).second) return;
  auto settings = handler.settings;
  if (section != nullptr) settings = settings::inherit(settings, section->request);
  const bool undecided = !settings.process_group && any_section_names_group(s);
  settings = settings::inherit(settings, server_config(s).request);
  NamedScript script{.server = s,
                     .written = handler.written,
                     .place = handler.place,
                     .script = handler.script,
                     .callable = kHandlerCallable};
  const std::string_view group = unless_global(*settings.process_group);
  script.depends_on_request = undecided || group.starts_with("%{");
  if (!script.depends_on_request) script.group_name = group;
  script.group = find_process_group(script.group_name);
  const bool alone = script.group != nullptr && script.group->only_script == script.script;
  script.application_group =
      unless_global(settings.application_group.value_or(alone ? "" : "%{RESOURCE}"));
  scripts_.push_back(script);
}

void NamedScripts::add_handlers(const server_rec* s, HandlerScripts handlers,
                                const DirectoryConfig* section) {
  // Those that count first stand last.
  for (auto each = handlers.rbegin(); each != handlers.rend(); ++each) {
    add_handler(s, **each, section);
  }
}

void NamedScripts::add(const server_rec* s) {
  if (!has_own_config(s)) return;
  const ServerConfig& config = server_config(s);
  for (const Preload& preload : config.preloads) add_import(s, preload);
  add_handlers(s, config.handlers, nullptr);
  for (const auto* section : sections_of(s)) {
    const auto* own = directory_config_or_null(section);
    if (own != nullptr) add_handlers(s, own->handlers, own);
  }
  for (const HookScript* hook : config.hook_lines) add_hook(s, *hook);
}

}  // namespace

std::vector<NamedScript> named_scripts_of(const server_rec* main_server) {
  NamedScripts scripts;
  for (const server_rec* s = main_server; s != nullptr; s = s->next) scripts.add(s);
  return std::move(scripts).result();
}

std::string_view directive_of(const NamedScript& script) {
  return script.written.substr(0, script.written.find(' '));
}

std::string script_of(const NamedScript& script) {
  if (script.kind == gateway::TargetKind::file) return std::string(script.script);
  return fmt::format("{}:{}", script.script, script.callable);
}

}  // namespace pyhost::apache
