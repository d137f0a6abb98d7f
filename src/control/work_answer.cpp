#include "control/work_answer.h"

#include "control/json_values.h"

namespace pyhost::control {
namespace {

constexpr char kWorkKey[] = "work";

constexpr auto kMembers = [](auto& work, auto visit) {
  visit("slot", work.slot);
  visit("role", work.role);
  visit("pid", work.pid);
  visit("generation", work.generation);
  visit("text", work.text);
  visit("problem", work.problem);
};

}  // namespace

std::string work_answer(const std::vector<WorkerWork>& workers) {
  Json list = Json::array();
  for (const WorkerWork& work : workers) list.push_back(object_of(work, kMembers));
  return Json{{kWorkKey, std::move(list)}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::vector<WorkerWork>> parse_work_answer(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains(kWorkKey) || !json[kWorkKey].is_array()) {
    return std::nullopt;
  }
  std::vector<WorkerWork> workers;
  for (const Json& each : json[kWorkKey]) {
    if (!each.is_object() || read_object(each, workers.emplace_back(), kMembers)) {
      return std::nullopt;
    }
  }
  return workers;
}

}  // namespace pyhost::control
