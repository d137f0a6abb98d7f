#include "apache/config/group_references.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>

#include "apache/config/config.h"
#include "apache/config/group_routes.h"
#include "apache/config/process_groups.h"
#include "apache/config/sections.h"

namespace pyhost::apache {
namespace {

constexpr char kDirective[] = "WSGIProcessGroup";

// A name that no WSGIDaemonProcess defines. Virtual hosts share what the main server has, so it is
// known by its place.
struct Reference {
  std::string sentence;
  const server_rec* server = nullptr;
  bool reached = false;
};

bool is_unknown(std::string_view name) {
  return !name.empty() && !name.starts_with("%{") && find_process_group(name) == nullptr;
}

class References {
 public:
  void add(const server_rec* s);
  void judge(Findings& findings) const;

 private:
  void note(const server_rec* s, std::string_view written, std::string_view name, const char* place,
            bool reached);
  void note_server(const server_rec* s, bool reached);
  void note_section(const server_rec* s, const DirectoryConfig& section, bool reached);
  void add_alias(const server_rec* s, const ScriptAlias& alias, bool served);
  void note_handlers(const server_rec* s, HandlerScripts handlers);

  std::map<std::string, Reference, std::less<>> references_;  // by their places
};

void References::note(const server_rec* s, std::string_view written, std::string_view name,
                      const char* place, bool reached) {
  if (!is_unknown(name)) return;
  auto& known = references_[place];
  known.reached |= reached;
  if (known.server != nullptr) return;
  known.server = s;
  known.sentence = fmt::format("{}: {}", written, describe_unknown_group(name));
}

void References::note_server(const server_rec* s, bool reached) {
  const ServerConfig& config = server_config(s);
  const auto place = config.places.find(kDirective);
  if (place == config.places.end()) return;
  note(s, kDirective, config.request.process_group.value_or(""), place->second, reached);
}

void References::note_section(const server_rec* s, const DirectoryConfig& section, bool reached) {
  if (section.group_place == nullptr) return;
  note(s, kDirective, section.request.process_group.value_or(""), section.group_place, reached);
}

void References::add_alias(const server_rec* s, const ScriptAlias& alias, bool served) {
  const bool reached = served && !is_shadowed(s, alias);
  if (alias.settings.process_group) {
    return note(s, alias.written, *alias.settings.process_group, alias.place, reached);
  }
  if (!reached) return;
  for (const GroupSource source : group_sources(s, alias)) {
    source == nullptr ? note_server(s, true) : note_section(s, *source, true);
  }
}

// Which requests get there, SetHandler and its like decide.
void References::note_handlers(const server_rec* s, HandlerScripts handlers) {
  for (const HandlerScript* handler : handlers) {
    note(s, handler->written, handler->settings.process_group.value_or(""), handler->place, false);
  }
}

void References::add(const server_rec* s) {
  const bool served = may_get_requests(s);
  note_server(s, false);
  for (const ap_conf_vector_t* section : sections_of(s)) {
    const auto* own = directory_config_or_null(section);
    if (own == nullptr) continue;
    note_section(s, *own, served && own->has_handler);
    note_handlers(s, own->handlers);
  }
  note_handlers(s, server_config(s).handlers);
  for (const ScriptAlias* alias : server_config(s).aliases) add_alias(s, *alias, served);
}

void References::judge(Findings& findings) const {
  for (const auto& [place, reference] : references_) {
    if (reference.reached) {
      findings.refuse(reference.server, {reference.sentence}, place.c_str());
      continue;
    }
    findings.add(
        reference.server, Severity::warning, base::Message::group_name_unknown,
        {reference.sentence + "; no request is known to get there, one that does gets 500"},
        place.c_str());
  }
}

}  // namespace

void check_group_references(const server_rec* main_server, Findings& findings) {
  References references;
  for (const server_rec* s = main_server; s != nullptr; s = s->next) references.add(s);
  references.judge(findings);
}

}  // namespace pyhost::apache
