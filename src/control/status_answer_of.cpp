#include "control/status_answer_of.h"

#include <algorithm>
#include <chrono>

#include "base/clock.h"
#include "base/printable.h"

namespace pyhost::control {
namespace {

using metrics::ScriptStatus;

const char* name_of(ScriptStatus::State state) noexcept {
  switch (state) {
    case ScriptStatus::State::current:
      return kCurrentScript;
    case ScriptStatus::State::kept:
      return kKeptScript;
    case ScriptStatus::State::broken:
      break;
  }
  return kBrokenScript;
}

StatusAnswer::Worker worker_of(unsigned slot, const char* role,
                               const scoreboard::SlotStatus& worker) {
  StatusAnswer::Worker told{.slot = slot,
                            .role = role,
                            .state = std::string(scoreboard::name_of(worker.state)),
                            .pid = worker.pid,
                            .generation = worker.generation,
                            .requests = worker.requests,
                            .busy_threads = worker.busy(),
                            .resident_bytes = worker.resident_bytes,
                            .processor_us = worker.processor_us};
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

StatusAnswer::Request request_of(const scoreboard::RunningRequest& request, base::TimePoint now) {
  using std::chrono::duration_cast, std::chrono::microseconds;
  // It may have begun since `now`.
  const auto age = std::max(now - request.began, base::Clock::duration(0));
  return {.method = base::printable(request.method),
          .path = base::printable(request.path),
          .id = base::printable(request.id),
          .age_us = static_cast<std::uint64_t>(duration_cast<microseconds>(age).count()),
          .slot = request.slot,
          .pid = request.slot ? request.worker : request.child};
}

}  // namespace

StatusAnswer::Group status_answer_of(const metrics::GroupSnapshot& group) {
  StatusAnswer::Group told{.name = group.name,
                           .state = std::string(metrics::name_of(metrics::state_of(group))),
                           .processes = static_cast<std::uint32_t>(group.workers.size()),
                           .threads = metrics::places_of_worker(group),
                           .waiting = group.waiting};
  if (!group.reason.empty()) told.reason = group.reason;
  for (const scoreboard::SlotStatus& worker : group.workers) {
    const auto slot = static_cast<unsigned>(told.workers.size());
    told.workers.push_back(worker_of(slot, kWorkerRole, worker));
  }
  for (const auto& [slot, worker] : group.keepers) {
    told.workers.push_back(worker_of(slot, kKeeperRole, worker));
  }
  for (const ScriptStatus& script : group.scripts) told.scripts.push_back(script_of(script));
  const auto now = base::Clock::now();
  for (const auto& request : group.running) told.running.push_back(request_of(request, now));
  return told;
}

StatusAnswer::Group status_answer_of(const metrics::GroupReport& report) {
  StatusAnswer::Group told = status_answer_of(report.snapshot);
  told.name = report.name();
  told.state = metrics::name_of(report.state());
  return told;
}

}  // namespace pyhost::control
