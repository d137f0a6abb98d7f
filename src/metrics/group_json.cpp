#include "metrics/group_json.h"

#include <nlohmann/json.hpp>

namespace pyhost::metrics {
namespace {

using Json = nlohmann::ordered_json;

Json as_json(const scoreboard::Death& death) {
  if (death.cause == scoreboard::DeathCause::none) return nullptr;
  return {{"generation", death.generation},
          {"pid", death.pid},
          {"time_us", death.time_us},
          {"description", scoreboard::describe(death)}};
}

const char* name_of(ScriptStatus::State state) noexcept {
  switch (state) {
    case ScriptStatus::State::current:
      return "current";
    case ScriptStatus::State::kept:
      return "kept";
    case ScriptStatus::State::broken:
      break;
  }
  return "broken";
}

Json as_json(const ScriptStatus& script) {
  const bool current = script.state == ScriptStatus::State::current;
  return {{"application_group", script.application_group},
          {"script", script.script},
          {"state", name_of(script.state)},
          {"reason", current ? Json() : Json(script.reason)},
          {"since_us", current ? Json() : Json(script.since_us)},
          {"slots", script.slots}};
}

enum class Role { worker, keeper };

Json as_json(std::size_t slot, Role role, const scoreboard::SlotStatus& worker) {
  return {{"slot", slot},
          {"role", role == Role::worker ? "worker" : "keeper"},
          {"state", scoreboard::name_of(worker.state)},
          {"pid", worker.pid},
          {"generation", worker.generation},
          {"requests", worker.requests},
          {"busy_threads", worker.busy()},
          {"last_death", as_json(worker.last_death)}};
}

Json as_json(const GroupSnapshot& group) {
  Json workers = Json::array();
  for (const scoreboard::SlotStatus& worker : group.workers) {
    workers.push_back(as_json(workers.size(), Role::worker, worker));
  }
  for (const GroupSnapshot::Keeper& keeper : group.keepers) {
    workers.push_back(as_json(keeper.slot, Role::keeper, keeper.worker));
  }
  Json scripts = Json::array();
  for (const ScriptStatus& script : group.scripts) scripts.push_back(as_json(script));
  return {{"name", group.name},
          {"state", name_of(state_of(group))},
          {"reason", group.reason.empty() ? Json() : Json(group.reason)},
          {"processes", group.workers.size()},
          {"threads", group.threads},
          {"waiting", group.waiting},
          {"workers", std::move(workers)},
          {"scripts", std::move(scripts)}};
}

Json as_json(const Refusal& refusal) {
  if (refusal.reason.empty()) return nullptr;
  return {{"reason", refusal.reason}, {"since_us", refusal.since_us}};
}

}  // namespace

std::string to_json(const std::vector<GroupSnapshot>& groups, const Refusal& refusal,
                    pid_t supervisor) {
  Json list = Json::array();
  for (const GroupSnapshot& group : groups) list.push_back(as_json(group));
  const Json status{{"supervisor", {{"pid", supervisor}}},
                    {"refused", as_json(refusal)},
                    {"groups", std::move(list)}};
  return status.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace pyhost::metrics
