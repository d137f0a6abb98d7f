#include "control/check_report.h"

#include <fmt/format.h>

#include <array>

#include "control/json_values.h"

namespace pyhost::control {
namespace {

constexpr std::array<std::string_view, 3> kSeverities{"error", "warning", "advice"};

constexpr auto kVisitFinding = [](auto& finding, auto&& visit) {
  visit("id", finding.id);
  visit("place", finding.place);
  visit("sentence", finding.sentence);
  visit("cure", finding.cure);
};

constexpr auto kVisitServed = [](auto& served, auto&& visit) {
  visit("place", served.place);
  visit("server", served.server);
  visit("url", served.url);
  visit("target", served.target);
  visit("process_group", served.process_group);
  visit("application_group", served.application_group);
  visit("user", served.user);
  visit("python", served.python);
};

constexpr auto kVisitScriptLine = [](auto& script, auto&& visit) {
  visit("place", script.place);
  visit("server", script.server);
  visit("line", script.line);
  visit("directive", script.directive);
  visit("script", script.script);
  visit("process_group", script.process_group);
  visit("application_group", script.application_group);
  visit("user", script.user);
  visit("python", script.python);
  visit("by_request", script.by_request);
};

constexpr auto kVisitExplanation = [](auto& explanation, auto&& visit) {
  visit("url", explanation.url);
  visit("server", explanation.server);
  visit("server_place", explanation.server_place);
  visit("mapped", explanation.mapped);
  visit("alias", explanation.alias);
  visit("alias_place", explanation.alias_place);
  visit("handler", explanation.handler);
  visit("target", explanation.target);
  visit("path_info", explanation.path_info);
  visit("process_group", explanation.process_group);
  visit("group_place", explanation.group_place);
  visit("chosen_by", explanation.chosen_by);
  visit("application_group", explanation.application_group);
  visit("user", explanation.user);
  visit("python", explanation.python);
  visit("status", explanation.status);
  visit("refusal", explanation.refusal);
};

bool read_severity(const Json& object, Severity& into) {
  std::string name;
  if (!read_member(object, "severity", name)) return false;
  const auto found = std::ranges::find(kSeverities, name);
  into = static_cast<Severity>(found - kSeverities.begin());
  return found != kSeverities.end();
}

bool read_item(const Json& object, Finding& into) {
  return read_severity(object, into.severity) && !read_object(object, into, kVisitFinding);
}

bool read_item(const Json& object, ServedUrls& into) {
  return !read_object(object, into, kVisitServed);
}

bool read_item(const Json& object, ScriptLine& into) {
  return !read_object(object, into, kVisitScriptLine);
}

bool read_item(const Json& object, Explanation& into) {
  return !read_object(object, into, kVisitExplanation);
}

template <class Item>
bool read_list(const Json& object, const char* key, std::vector<Item>& into) {
  const auto list = object.find(key);
  if (list == object.end() || !list->is_array()) return false;
  return std::ranges::all_of(*list, [&into](const Json& item) {
    return item.is_object() && read_item(item, into.emplace_back());
  });
}

template <class Item, class VisitAll>
Json list_of(const std::vector<Item>& items, VisitAll visit_all) {
  Json list = Json::array();
  for (const Item& item : items) list.push_back(object_of(item, visit_all));
  return list;
}

}  // namespace

std::string_view name_of(Severity severity) noexcept {
  return kSeverities[static_cast<std::size_t>(severity)];
}

std::string to_json(const Explanation& explanation) {
  return object_of(explanation, kVisitExplanation).dump();
}

base::Result<Explanation> parse_explanation(std::string_view text) {
  const Json object = Json::parse(text, nullptr, false);
  Explanation explanation;
  if (object.is_object() && read_item(object, explanation)) return explanation;
  return base::fail("what was found out about a URL is not understood");
}

std::string to_json(const CheckReport& report) {
  Json findings = Json::array();
  for (const Finding& finding : report.findings) {
    Json object = object_of(finding, kVisitFinding);
    object["severity"] = name_of(finding.severity);
    findings.push_back(std::move(object));
  }
  return Json{{"findings", std::move(findings)},
              {"served", list_of(report.served, kVisitServed)},
              {"scripts", list_of(report.scripts, kVisitScriptLine)},
              {"explained", list_of(report.explained, kVisitExplanation)}}
      .dump();
}

base::Result<CheckReport> parse_check_report(std::string_view text) {
  const Json object = Json::parse(text, nullptr, false);
  CheckReport report;
  if (object.is_object() && read_list(object, "findings", report.findings) &&
      read_list(object, "served", report.served) && read_list(object, "scripts", report.scripts) &&
      read_list(object, "explained", report.explained)) {
    return report;
  }
  return base::fail("what the module has said about the configuration is not understood");
}

}  // namespace pyhost::control
