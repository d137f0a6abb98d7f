#include "cli/check_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/parse.h"
#include "base/printable.h"

namespace pyhost::cli {
namespace {

using base::printable;
using control::Finding;
using control::Severity;

// "process group shop (user shop, Python 3.11), main interpreter"
std::string place_to_run(const std::string& group, const std::string& user,
                         const std::string& python, const std::string& interpreter) {
  std::string text = group.empty() ? "httpd's own processes" : "process group " + group;
  if (!user.empty()) text += fmt::format(" (user {}, Python {})", user, python);
  return text + ", " + (interpreter.empty() ? "main interpreter" : "interpreter " + interpreter);
}

std::string served_text(const control::ServedUrls& served) {
  return fmt::format("{}  {} -> {}\n    {}\n    {}\n", printable(served.server),
                     printable(served.url), printable(served.target),
                     printable(place_to_run(served.process_group, served.user, served.python,
                                            served.application_group)),
                     printable(served.place));
}

std::string script_text(const control::ScriptLine& script) {
  const std::string runs_in = script.by_request
                                  ? "the process group of whatever request is given to it"
                                  : place_to_run(script.process_group, script.user, script.python,
                                                 script.application_group);
  return fmt::format("{}  {}\n    {}\n    {}\n", printable(script.server), printable(script.line),
                     printable(runs_in), printable(script.place));
}

std::string finding_text(const Finding& finding) {
  std::string text = fmt::format("{} {}{}{}: {}\n", name_of(finding.severity), finding.id,
                                 finding.place.empty() ? "" : " ", printable(finding.place),
                                 printable(finding.sentence));
  if (!finding.cure.empty()) text += fmt::format("    {}\n", printable(finding.cure));
  return text;
}

std::string count_of(const control::CheckReport& report, Severity severity,
                     std::string_view singular, std::string_view plural) {
  const auto count = std::ranges::count(report.findings, severity, &Finding::severity);
  return fmt::format("{} {}", count, count == 1 ? singular : plural);
}

}  // namespace

std::string check_text(const control::CheckReport& report) {
  std::string text;
  for (const auto& served : report.served) text += served_text(served);
  for (const auto& script : report.scripts) text += script_text(script);
  if (!text.empty()) text += '\n';
  for (const Finding& finding : report.findings) text += finding_text(finding);
  return text +
         fmt::format("{}, {}, {}\n", count_of(report, Severity::error, "error", "errors"),
                     count_of(report, Severity::warning, "warning", "warnings"),
                     count_of(report, Severity::advice, "piece of advice", "pieces of advice"));
}

std::string explanation_text(const control::Explanation& explanation) {
  const bool by_application = !explanation.user.empty();
  const std::array<std::pair<std::string_view, std::string>, 9> lines{{
      {"server", explanation.server_place.empty()
                     ? explanation.server
                     : fmt::format("{} ({})", explanation.server, explanation.server_place)},
      {"alias", explanation.alias.empty()
                    ? ""
                    : fmt::format("{} ({})", explanation.alias, explanation.alias_place)},
      {"target", explanation.target},
      {"path info", explanation.path_info},
      {"handler", explanation.handler},
      {"runs in", by_application ? place_to_run(explanation.process_group, explanation.user,
                                                explanation.python, explanation.application_group)
                                 : ""},
      {"because of", explanation.chosen_by},
      {"defined at", explanation.group_place},
      {"answer", explanation.refusal.empty() ? "the application's"
                 : explanation.status == 0
                     ? explanation.refusal
                     : fmt::format("{}: {}", explanation.status, explanation.refusal)},
  }};
  std::string text = fmt::format("{}\n", printable(explanation.url));
  for (const auto& [name, value] : lines) {
    if (!value.empty()) text += fmt::format("  {:<11} {}\n", name, printable(value));
  }
  return text +
         "Asked of httpd for a GET without headers but Host. What <If>, SetEnvIf and RewriteCond "
         "make "
         "of\nother headers, addresses and times, and what a user's login allows, is not in it.\n";
}

bool has_mistakes(const control::CheckReport& report) noexcept {
  return std::ranges::any_of(
      report.findings, [](const Finding& finding) { return finding.severity != Severity::advice; });
}

Finding finding_of_httpd(std::string_view said) {
  constexpr std::string_view kSyntax = "Syntax error on line ";
  Finding finding{.severity = Severity::error, .id = "httpd"};
  const auto syntax = said.find(kSyntax);
  if (syntax == said.npos) {
    finding.sentence = said.substr(0, said.find_last_not_of('\n') + 1);
    return finding;
  }
  // "AH00526: Syntax error on line 3 of /etc/apache2/shop.conf:", and the sentence in the next
  // line.
  std::string_view rest = said.substr(syntax + kSyntax.size());
  const auto number_end = rest.find(' ');
  const auto file_end = rest.find(":\n");
  constexpr std::string_view kOf = " of ";
  if (number_end == rest.npos || file_end == rest.npos || file_end < number_end + kOf.size()) {
    finding.sentence = said;
    return finding;
  }
  const auto file = rest.substr(number_end + kOf.size(), file_end - number_end - kOf.size());
  finding.place = fmt::format("{}:{}", file, rest.substr(0, number_end));
  rest.remove_prefix(file_end + 2);
  finding.sentence = rest.substr(0, rest.find('\n'));
  finding.cure = "httpd reads no further than to its first mistake of this kind: check again then";
  return finding;
}

base::Result<AskedUrl> parse_url(std::string_view url) {
  AskedUrl asked{.host = "localhost", .port = "80", .path = "/"};
  constexpr std::string_view kHttp = "http://", kHttps = "https://";
  if (url.starts_with(kHttps)) asked.port = "443";
  if (url.starts_with(kHttp)) url.remove_prefix(kHttp.size());
  if (url.starts_with(kHttps)) url.remove_prefix(kHttps.size());
  const auto slash = std::min(url.find('/'), url.size());
  std::string_view host = url.substr(0, slash);
  if (slash < url.size()) asked.path = url.substr(slash, url.find('#') - slash);
  if (const auto colon = host.rfind(':'); colon != host.npos && !host.ends_with(']')) {
    const auto port = base::parse_unsigned(host.substr(colon + 1));
    if (!port || *port == 0 || *port > UINT16_MAX) {
      return base::fail(fmt::format("'{}' has no possible port", url));
    }
    asked.port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  if (!host.empty()) asked.host = host;
  return asked;
}

}  // namespace pyhost::cli
