#include "control/watch_list.h"

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "control/control_channel.h"
#include "os/small_file.h"

namespace pyhost::control {
namespace {

using Json = nlohmann::json;
using Nanoseconds = std::chrono::nanoseconds;

std::optional<std::string> bytes_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  const auto* text = found == object.end() ? nullptr : found->get_ptr<const Json::string_t*>();
  return text == nullptr ? std::nullopt : base::bytes_of_json_text(*text);
}

std::optional<WatchList> parse_watch_list(std::string_view json) {
  const Json object = Json::parse(json, nullptr, false);
  if (!object.is_object() || !object.contains("since_us") || !object.contains("groups") ||
      !object["since_us"].is_number_integer() || !object["groups"].is_array()) {
    return std::nullopt;
  }
  WatchList list{.since_us = object["since_us"].get<std::int64_t>(), .globs = {}};
  for (const Json& group : object["groups"]) {
    auto name = bytes_at(group, "name");
    if (!name || !group.contains("globs") || !group["globs"].is_array()) return std::nullopt;
    std::vector<std::string>& globs = list.globs[*std::move(name)];
    for (const Json& glob : group["globs"]) {
      const auto* text = glob.get_ptr<const Json::string_t*>();
      auto bytes = text == nullptr ? std::nullopt : base::bytes_of_json_text(*text);
      if (!bytes) return std::nullopt;
      globs.push_back(*std::move(bytes));
    }
  }
  return list;
}

}  // namespace

std::string to_json(const WatchList& list) {
  Json groups = Json::array();
  for (const auto& [name, globs] : list.globs) {
    Json texts = Json::array();
    for (const std::string& glob : globs) texts.push_back(base::json_text_of(glob));
    groups.push_back({{"name", base::json_text_of(name)}, {"globs", std::move(texts)}});
  }
  return Json{{"since_us", list.since_us}, {"groups", std::move(groups)}}.dump();
}

base::Result<WatchList> read_watch_list(int file) {
  const auto text = os::read_whole(file, kTextBytesMax);
  auto list = text ? parse_watch_list(*text) : std::nullopt;
  if (!list) return base::fail("the list of what is to be watched is malformed");
  return *std::move(list);
}

std::string to_json(const WatchReport& report) {
  Json object{{"group", base::json_text_of(report.group)}};
  if (report.changed.empty()) {
    object["problem"] = base::json_text_of(report.problem);
  } else {
    object["changed"] = base::json_text_of(report.changed);
    object["at_ns"] = Nanoseconds(report.at.time_since_epoch()).count();
  }
  return object.dump();
}

std::optional<WatchReport> parse_watch_report(std::string_view json) {
  const Json object = Json::parse(json, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  auto group = bytes_at(object, "group");
  if (!group) return std::nullopt;
  WatchReport report{.group = *std::move(group), .changed = "", .problem = ""};
  if (auto problem = bytes_at(object, "problem")) {
    report.problem = *std::move(problem);
    return report;
  }
  auto changed = bytes_at(object, "changed");
  const auto at = object.find("at_ns");
  if (!changed || changed->empty() || at == object.end() || !at->is_number_integer()) {
    return std::nullopt;
  }
  report.changed = *std::move(changed);
  report.at = std::chrono::steady_clock::time_point(Nanoseconds(at->get<std::int64_t>()));
  return report;
}

}  // namespace pyhost::control
