// What operators see of the group.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "scoreboard/board_rows.h"
#include "supervisor/group/worker_group.h"

namespace pyhost::supervisor {

bool WorkerGroup::serves() const noexcept {
  for (unsigned slot = 0; slot < life_.slots(); ++slot) {
    if (life_.slot(slot).state() == scoreboard::SlotState::ready) return true;
  }
  return false;
}

bool WorkerGroup::degraded() const noexcept {
  return std::ranges::any_of(workers_, [this](const auto& each) {
    return each.second.kept && life_.slot(each.second.slot).serving() == each.first;
  });
}

metrics::GroupStatus WorkerGroup::status() const {
  using State = metrics::GroupStatus::State;
  const scoreboard::Scoreboard& board = *setup_.scoreboard;
  metrics::GroupStatus status{.name = name(),
                              .state = serves() ? State::serving : State::starting,
                              .threads = setup_.wanted.options.threads,
                              .waiting = board.waiting()};
  keepers_.for_each([&](pid_t, const Keepers::Keeper& keeper) {
    status.keepers.push_back(
        {keeper.slot, board.status(scoreboard::keeper_row(keeper.slot, keeper.place))});
  });
  status.scripts = script_status();
  const bool degraded = !stopped_ && (this->degraded() || metrics::has_broken_script(status));
  if (stopped_) status.state = State::stopped;
  if (degraded) status.state = State::degraded;
  if (degraded || (failing_ && !stopped_)) status.reason = last_failure_;
  if (degraded && serves() && metrics::has_only_broken_scripts(status)) {
    status.state = State::failing;
    status.reason = status.scripts.front().reason;
  }
  for (unsigned slot = 0; slot < worker_count(setup_.wanted.options); ++slot) {
    status.workers.push_back(board.status(scoreboard::row_of(slot)));
  }
  return status;
}

// Nothing for one that nobody has tried.
std::optional<metrics::ScriptStatus> WorkerGroup::status_of(const control::Preload& script) const {
  const std::uint64_t key = script_key(script);
  std::set<unsigned> slots;
  bool lacked = false;
  for (unsigned slot = 0; slot < life_.slots(); ++slot) {
    const Worker* worker = serving_or_null(slot);
    if (worker == nullptr) continue;
    if (worker->has.contains(key)) slots.insert(slot);
    if (worker->lacks.contains(key)) lacked = true;
  }
  keepers_.for_each([&](pid_t, const Keepers::Keeper& keeper) {
    if (keeper.scripts.contains(key)) slots.insert(keeper.slot);
  });
  if (slots.empty() && !lacked) return std::nullopt;
  metrics::ScriptStatus status{.application_group = script.application_group,
                               .script = script.script,
                               .slots = {slots.begin(), slots.end()}};
  const auto failure = scripts_.failures().find(key);
  if (failure != scripts_.failures().end()) {
    status.state =
        slots.empty() ? metrics::ScriptStatus::State::broken : metrics::ScriptStatus::State::kept;
    status.reason = failure->second.why;
    status.since_us = failure->second.since_us;
  }
  return status;
}

std::vector<metrics::ScriptStatus> WorkerGroup::script_status() const {
  std::map<std::uint64_t, control::Preload> known;
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
