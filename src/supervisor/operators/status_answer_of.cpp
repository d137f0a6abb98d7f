#include "supervisor/operators/status_answer_of.h"

namespace pyhost::supervisor {
namespace {

using control::StatusAnswer;
using metrics::ScriptStatus;

const char* name_of(ScriptStatus::State state) noexcept {
  switch (state) {
    case ScriptStatus::State::current:
      return control::kCurrentScript;
    case ScriptStatus::State::kept:
      return control::kKeptScript;
    case ScriptStatus::State::broken:
      break;
  }
  return control::kBrokenScript;
}

StatusAnswer::Worker worker_of(unsigned slot, const char* role,
                               const scoreboard::SlotStatus& worker) {
  StatusAnswer::Worker told{.slot = slot,
                            .role = role,
                            .state = std::string(scoreboard::name_of(worker.state)),
                            .pid = worker.pid,
                            .generation = worker.generation,
                            .requests = worker.requests,
                            .busy_threads = worker.busy()};
  const scoreboard::Death& death = worker.last_death;
  if (death.cause != scoreboard::DeathCause::none) {
    told.last_death = {.generation = death.generation,
                       .pid = death.pid,
                       .time_us = death.time_us,
                       .description = scoreboard::describe(death)};
  }
  return told;
}

StatusAnswer::Script script_of(const ScriptStatus& script) {
  StatusAnswer::Script told{.application_group = script.application_group,
                            .script = script.script,
                            .state = name_of(script.state),
                            .slots = {script.slots.begin(), script.slots.end()}};
  if (script.state != ScriptStatus::State::current) {
    told.reason = script.reason;
    told.since_us = script.since_us;
  }
  return told;
}

}  // namespace

StatusAnswer::Group status_answer_of(const metrics::GroupSnapshot& group) {
  StatusAnswer::Group told{.name = group.name,
                           .state = std::string(metrics::name_of(metrics::state_of(group))),
                           .processes = static_cast<std::uint32_t>(group.workers.size()),
                           .threads = group.threads,
                           .waiting = group.waiting};
  if (!group.reason.empty()) told.reason = group.reason;
  for (const scoreboard::SlotStatus& worker : group.workers) {
    const auto slot = static_cast<unsigned>(told.workers.size());
    told.workers.push_back(worker_of(slot, control::kWorkerRole, worker));
  }
  for (const auto& [slot, worker] : group.keepers) {
    told.workers.push_back(worker_of(slot, control::kKeeperRole, worker));
  }
  for (const ScriptStatus& script : group.scripts) told.scripts.push_back(script_of(script));
  return told;
}

}  // namespace pyhost::supervisor
