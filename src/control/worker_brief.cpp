#include "control/worker_brief.h"

#include <fmt/format.h>

#include "control/build_check.h"
#include "control/group_options.h"
#include "control/json_values.h"
#include "pyhost/gateway/build_id.h"

namespace pyhost::control {
namespace {

constexpr Correspondents kBriefEnds{
    .reader = "pyhost-worker",
    .writer = "pyhost-supervisor",
    .cure = "the programs have been replaced while httpd runs: restart httpd"};

constexpr auto kVisitAssignment = [](auto& assignment, auto&& visit) {
  visit("slot", assignment.slot);
  visit("row", assignment.row);
  visit("generation", assignment.generation);
  visit("report", assignment.report);
  visit("plugin", assignment.plugin);
  visit("python_program", assignment.python_program);
  visit("python_home", assignment.python_home);
  visit("imports", assignment.imports);
  visit("imports_required", assignment.imports_required);
};

tl::unexpected<base::Error> malformed_brief(std::string_view what) {
  return base::fail(fmt::format("what the worker is told has no usable \"{}\"", what));
}

}  // namespace

std::string worker_brief(const settings::ProcessGroup& group, std::string_view settings,
                         const WorkerAssignment& assignment) {
  return Json{{kBuildKey, std::string(gateway::kBuildId)},
              {"group", json_of(group.name)},
              {"options", options_json(group)},
              {"settings", json_of(std::string(settings))},
              {"assignment", object_of(assignment, kVisitAssignment)}}
      .dump();
}

base::Result<WorkerBrief> parse_worker_brief(std::string_view json) {
  const Json object = Json::parse(json, nullptr, false);
  if (!object.is_object()) return base::fail("what the worker is told is not a JSON object");
  PH_TRY_VOID(check_build(object, kBriefEnds));
  WorkerBrief brief;
  std::string settings;
  if (!read_member(object, "group", brief.group.name)) return malformed_brief("group");
  if (!read_member(object, "settings", settings)) return malformed_brief("settings");
  const auto options = object.find("options");
  if (options == object.end()) return malformed_brief("options");
  PH_TRY_VOID(read_options(*options, brief.group));
  PH_TRY(parsed, parse_worker_settings(settings));
  brief.settings = std::move(parsed);
  const auto assignment = object.find("assignment");
  if (assignment == object.end() || !assignment->is_object()) return malformed_brief("assignment");
  const auto wrong = read_object(*assignment, brief.assignment, kVisitAssignment);
  if (wrong) return malformed_brief(*wrong);
  return brief;
}

}  // namespace pyhost::control
