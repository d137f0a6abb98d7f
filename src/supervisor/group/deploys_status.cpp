// Which version of each script a group serves.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "supervisor/group/deploys.h"

namespace pyhost::supervisor {

// Nothing for one that nobody has tried.
std::optional<metrics::ScriptStatus> Deploys::status_of(const gateway::Script& script) const {
  const std::uint64_t key = script_key(script);
  std::set<unsigned> slots;
  bool lacked = false;
  for (unsigned slot = 0; slot < parts_.life.slots(); ++slot) {
    const LivingWorker* worker = parts_.serving_or_null(slot);
    if (worker == nullptr) continue;
    if (worker->has.contains(key)) slots.insert(slot);
    if (worker->lacks.contains(key)) lacked = true;
  }
  kept_.keepers().for_each([&](pid_t, const Keepers::Keeper& keeper) {
    if (keeper.scripts.contains(key)) slots.insert(keeper.slot);
  });
  if (slots.empty() && !lacked) return std::nullopt;
  metrics::ScriptStatus status{.application_group = script.application_group,
                               .script = name_of(script),
                               .slots = {slots.begin(), slots.end()}};
  const auto failure = scripts_.failures().find(key);
  if (failure != scripts_.failures().end()) {
    using State = metrics::ScriptStatus::State;
    status.state = slots.empty() ? State::broken : State::kept;
    status.reason = failure->second.why;
    status.since_us = failure->second.since_us;
  }
  return status;
}

std::vector<metrics::ScriptStatus> Deploys::script_status() const {
  std::map<std::uint64_t, gateway::Script> known;
  for (const auto& import : scripts_.imports()) known.emplace(script_key(import), import);
  for (const auto& [key, failure] : scripts_.failures()) known.emplace(key, failure.script);
  std::vector<metrics::ScriptStatus> all;
  for (const auto& [key, script] : known) {
    if (auto status = status_of(script)) all.push_back(*std::move(status));
  }
  std::ranges::sort(all, {}, [](const metrics::ScriptStatus& each) {
    return std::tie(each.script, each.application_group);
  });
  return all;
}

}  // namespace pyhost::supervisor
