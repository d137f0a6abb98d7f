#include "apache/check/access_findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "apache/check/request_probe.h"
#include "apache/config/configuration_lines.h"
#include "apache/pool.h"

namespace pyhost::apache {
namespace {

using Lines = std::vector<ConfigurationLine>;

bool is_below(std::string_view path, std::string_view folder) {
  while (folder.ends_with('/')) folder.remove_suffix(1);
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

// Lets some requests in and others not, and who asked here is nobody.
bool is_choosy(const ConfigurationLine& line) {
  if (line.is("Allow")) return true;
  return line.is("Require") && !line.words.empty() &&
         !(line.words.size() == 2 && line.words[0] == "all");
}

// Whether the section of a line may be for the application; where that is not plain, it may.
bool may_concern(const ConfigurationLine& line, const Lines& lines,
                 const Application& application) {
  const ap_directive_t* parent = line.node->parent;
  const auto section = std::ranges::find(lines, parent, &ConfigurationLine::node);
  if (section == lines.end() || section->words.size() != 1) return true;
  const std::string& where = section->words[0];
  if (section->is("<Directory")) return is_below(application.alias->target, where);
  if (section->is("<Location")) return is_below(application.alias->path, where);
  return true;
}

std::string section_for(const Application& application) {
  const ScriptAlias& alias = *application.alias;
  if (alias.kind == gateway::TargetKind::module) return fmt::format("<Location {}>", alias.path);
  return fmt::format("<Directory {}>", alias.target.substr(0, alias.target.rfind('/')));
}

void judge(const Application& application, const control::Explanation& explanation,
           const Lines& lines, Findings& findings) {
  if (explanation.status != HTTP_FORBIDDEN) return;
  if (!explanation.refusal.starts_with("access")) return;
  const bool choosy = std::ranges::any_of(lines, [&](const ConfigurationLine& line) {
    return is_choosy(line) && may_concern(line, lines, application);
  });
  if (choosy) return;
  const std::string section = section_for(application);
  findings.add(application.server, Severity::warning, base::Message::access_not_granted,
               {.sentence = fmt::format("{}: its requests are answered 403, because nothing grants "
                                        "access",
                                        application.alias->written),
                .cure = fmt::format("add: {} Require all granted </{}>", section,
                                    section.substr(1, section.find(' ') - 1))},
               application.alias->place);
}

}  // namespace

void find_access_not_granted(const server_rec* main_server,
                             const std::vector<Application>& applications, Findings& findings) {
  std::vector<ProbedUrl> urls;
  std::vector<const Application*> asked;
  for (const Application& each : applications) {
    if (each.alias->regex != nullptr) continue;
    asked.push_back(&each);
    urls.push_back({.path = std::string(each.alias->path),
                    .host = std::string(view_or_empty(each.server->server_hostname)),
                    .server = each.server});
  }
  const auto explanations = probe_requests(main_server, urls);
  const Lines lines = configuration_lines();
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (explanations[i]) {
      judge(*asked[i], *explanations[i], lines, findings);
      continue;
    }
    findings.add(
        asked[i]->server, Severity::advice, base::Message::check_incomplete,
        {fmt::format("{}: whether access is granted was not found out: a module that is not "
                     "started has ended the process that asked, or it has taken too long",
                     asked[i]->alias->written)},
        asked[i]->alias->place);
  }
}

}  // namespace pyhost::apache
