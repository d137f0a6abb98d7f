#include "control/watch_list.h"

#include "control/build_check.h"
#include "control/control_channel.h"
#include "control/json_values.h"
#include "os/small_file.h"
#include "pyhost/gateway/build_id.h"

namespace pyhost::control {
namespace {

using Nanoseconds = std::chrono::nanoseconds;

constexpr Correspondents kWatchEnds{
    .reader = "pyhost-lookout",
    .writer = "pyhost-supervisor",
    .cure = "the programs have been replaced while httpd runs: restart httpd"};

std::optional<WatchList> parse_watch_list(const Json& object) {
  WatchList list;
  const auto groups = object.find("groups");
  if (!read_member(object, "since_us", list.since_us) || groups == object.end() ||
      !groups->is_array()) {
    return std::nullopt;
  }
  for (const Json& group : *groups) {
    std::string name;
    std::vector<std::string> globs;
    if (!group.is_object() || !read_member(group, "name", name) ||
        !read_member(group, "globs", globs)) {
      return std::nullopt;
    }
    list.globs[name] = std::move(globs);
  }
  return list;
}

}  // namespace

std::string to_json(const WatchList& list) {
  Json groups = Json::array();
  for (const auto& [name, globs] : list.globs) {
    groups.push_back({{"name", json_of(name)}, {"globs", json_of(globs)}});
  }
  return Json{{kBuildKey, std::string(gateway::kBuildId)},
              {"since_us", list.since_us},
              {"groups", std::move(groups)}}
      .dump();
}

base::Result<WatchList> read_watch_list(int file) {
  const auto text = os::read_whole(file, kTextBytesMax);
  const Json object = text ? Json::parse(*text, nullptr, false) : Json();
  if (object.is_object()) PH_TRY_VOID(check_build(object, kWatchEnds));
  auto list = object.is_object() ? parse_watch_list(object) : std::nullopt;
  if (!list) return base::fail("the list of what is to be watched is malformed");
  return *std::move(list);
}

std::string to_json(const WatchReport& report) {
  Json object{{"group", json_of(report.group)}};
  if (report.changed.empty()) {
    object["problem"] = json_of(report.problem);
  } else {
    object["changed"] = json_of(report.changed);
    object["at_ns"] = Nanoseconds(report.at.time_since_epoch()).count();
    object["file"] = json_of(report.file);
  }
  return object.dump();
}

std::optional<WatchReport> parse_watch_report(std::string_view json) {
  const Json object = Json::parse(json, nullptr, false);
  WatchReport report;
  if (!object.is_object() || !read_member(object, "group", report.group)) return std::nullopt;
  if (read_member(object, "problem", report.problem)) return report;
  std::int64_t at = 0;
  if (!read_member(object, "changed", report.changed) || report.changed.empty() ||
      !read_member(object, "at_ns", at) || !read_member(object, "file", report.file)) {
    return std::nullopt;
  }
  report.at = std::chrono::steady_clock::time_point(Nanoseconds(at));
  return report;
}

}  // namespace pyhost::control
