#include "apache/check/route_findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "apache/config/configuration_lines.h"
#include "apache/config/group_routes.h"
#include "apache/config/path_patterns.h"
#include "apache/config/preloads.h"
#include "apache/config/process_groups.h"
#include "apache/config/sections.h"
#include "apache/config/served_targets.h"
#include "apache/pool.h"
#include "apache/request/alias.h"
#include "apache/request/withheld_authorization.h"
#include "base/nearest.h"
#include "base/parse.h"
#include "settings/global_name.h"

namespace pyhost::apache {
namespace {

using base::Message;

// The alias that takes the requests of another; null when none does.
const ScriptAlias* taker_of(const server_rec* s, const ScriptAlias& alias) {
  for (const ScriptAlias* other : server_config(s).aliases) {
    if (other == &alias) return nullptr;
    if (takes(*other, alias.path)) return other;
  }
  return nullptr;
}

std::vector<std::string_view> names_of_groups() {
  std::vector<std::string_view> names{settings::kGlobalName};
  for (const DaemonGroup* group : all_process_groups()) names.emplace_back(group->options.name);
  return names;
}

void check_restriction(const server_rec* s, std::string_view text, const char* place,
                       Findings& findings) {
  const auto names = names_of_groups();
  for (std::size_t start = 0; start < text.size();) {
    const auto stop = std::min(text.find(' ', start), text.size());
    const std::string_view name = text.substr(start, stop - start);
    start = stop + 1;
    if (std::ranges::find(names, name) != names.end()) continue;
    const std::string_view nearest = base::nearest_name(name, names);
    if (nearest.empty()) continue;
    findings.add(
        s, Severity::warning, Message::name_without_meaning,
        {.sentence = fmt::format("WSGIRestrictProcess: there is no process group '{}'", name),
         .cure = fmt::format("did you mean {}?", nearest)},
        place);
  }
}

void check_restrictions(const server_rec* s, Findings& findings) {
  const ServerConfig& config = server_config(s);
  if (const auto& list = config.request.restrict_process) {
    const auto place = config.places.find("WSGIRestrictProcess");
    check_restriction(s, list->text, place == config.places.end() ? nullptr : place->second,
                      findings);
  }
  for (const auto* section : sections_of(s)) {
    const auto* own = directory_config_or_null(section);
    if (own == nullptr || !own->request.restrict_process) continue;
    check_restriction(s, own->request.restrict_process->text, own->group_place, findings);
  }
}

// The word of a line that names a handler: the only one of SetHandler, the first of AddHandler.
void check_handler(const server_rec* s, const ConfigurationLine& line, Findings& findings) {
  constexpr std::string_view kKnown[] = {kHandler, kLegacyHandler};
  const std::string& name = line.words.front();
  const std::string_view nearest = base::nearest_name(name, kKnown);
  if (nearest.empty() || nearest == name) return;
  findings.add(
      s, Severity::warning, Message::name_without_meaning,
      {.sentence = fmt::format("{} {}: no module has a handler of that name", line.directive, name),
       .cure = fmt::format("did you mean {}?", nearest)},
      line.place.c_str());
}

// That of <DirectoryMatch> and <Directory ~>; "" for other lines.
std::string_view expression_of(const ConfigurationLine& line) {
  if (line.is("<DirectoryMatch") && line.words.size() == 1) return line.words[0];
  const bool marked = line.is("<Directory") && line.words.size() == 2 && line.words[0] == "~";
  return marked ? std::string_view(line.words[1]) : "";
}

// Whether a section has files run by the module's handler.
bool gives_to_handler(const ConfigurationLine& section) {
  for (const auto* line = section.node->first_child; line != nullptr; line = line->next) {
    const std::string_view name = line->directive;
    const std::string_view arguments = view_or_empty(line->args);
    const bool sets = base::equals_ignoring_case(name, "SetHandler") ||
                      base::equals_ignoring_case(name, "AddHandler");
    if (sets && arguments.find(kHandler) != arguments.npos) return true;
    if (base::equals_ignoring_case(name, "WSGIProcessGroup")) return true;
  }
  return false;
}

}  // namespace

void find_shadowed_aliases(const server_rec* main_server, Findings& findings) {
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    if (!has_own_config(s) || !may_get_requests(s)) continue;
    for (const ScriptAlias* alias : server_config(s).aliases) {
      if (alias->regex != nullptr || !alias->path.starts_with('/')) continue;
      const ScriptAlias* taker = taker_of(s, *alias);
      // The same line for the same URL is in the way of nobody.
      if (taker == nullptr || taker->target == alias->target) continue;
      findings.add(s, Severity::warning, Message::alias_shadowed,
                   {.sentence = fmt::format("{}: no request comes to it, {} at {} is before it and "
                                            "takes them all",
                                            alias->written, taker->written, taker->place),
                    .cure = taker->path == alias->path ? "take one of them away"
                                                       : "put this line before that one"},
                   alias->place);
    }
  }
}

void find_names_without_meaning(const server_rec* main_server, Findings& findings) {
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    if (has_own_config(s)) check_restrictions(s, findings);
  }
  for (const ConfigurationLine& line : configuration_lines()) {
    const bool names_handler = line.is("SetHandler") || line.is("AddHandler");
    if (names_handler && !line.words.empty()) check_handler(main_server, line, findings);
  }
}

void find_unserved_layouts(const server_rec* main_server, Findings& findings) {
  for (const ConfigurationLine& line : configuration_lines()) {
    const std::string_view expression = expression_of(line);
    if (expression.empty() || !gives_to_handler(line) || pattern_of_expression(expression))
      continue;
    findings.add(
        main_server, Severity::advice, Message::layout_unserved,
        {.sentence = fmt::format("{} {}: its expression does not begin with ^ and a folder, so "
                                 "it does not tell process groups which files they may run",
                                 line.directive.substr(1), expression),
         .cure = "begin it with ^ and the folder, unless Alias, DocumentRoot or a <Directory> "
                 "section lead there"},
        line.place.c_str());
  }
}

void find_unused_groups(const server_rec* main_server, Findings& findings) {
  const GroupServices services(main_server);
  for (const DaemonGroup* group : all_process_groups()) {
    if (!preloads_of(main_server, group->options.name).empty()) continue;
    const auto targets = services.of(*group).targets;
    if (!targets.scripts.empty() || !targets.folders.empty() || !targets.modules.empty() ||
        !targets.patterns.empty() || !targets.hooks.empty()) {
      continue;
    }
    findings.add(
        group->server, Severity::advice, Message::group_unused,
        {.sentence = fmt::format("WSGIDaemonProcess {}: nothing leads to this process group, "
                                 "and its workers run all the same",
                                 group->options.name),
         .cure = fmt::format("name it with process-group={} or WSGIProcessGroup {}, or take "
                             "the line away",
                             group->options.name, group->options.name)},
        group->place);
  }
}

void find_withheld_authorization(const std::vector<Application>& applications, Findings& findings) {
  for (const Application& application : applications) {
    if (*application.settings.pass_authorization != settings::PassAuthorization::off) continue;
    findings.add(application.server, Severity::advice, Message::authorization_withheld,
                 withheld_authorization(application.alias->written), application.alias->place);
  }
}

}  // namespace pyhost::apache
