#include "metrics/health.h"

#include <fmt/format.h>

#include <algorithm>

namespace pyhost::metrics {
namespace {

using scoreboard::SlotState;
using scoreboard::SlotStatus;

bool takes_requests(const SlotStatus& worker) noexcept {
  return worker.state == SlotState::ready && !worker.silent;
}

const ScriptStatus* first_or_null(const GroupSnapshot& group, ScriptStatus::State state) {
  const auto found = std::ranges::find(group.scripts, state, &ScriptStatus::state);
  return found == group.scripts.end() ? nullptr : &*found;
}

Health fails(std::string why) {
  return {.serves = false, .text = std::move(why)};
}

}  // namespace

Health health_of(const GroupSnapshot& group) {
  if (group.stopped) return fails("an operator has stopped it");
  const bool any_ready = std::ranges::any_of(
      group.workers, [](const SlotStatus& each) { return each.state == SlotState::ready; });
  if (!any_ready) {
    return fails("no worker is ready" + (group.reason.empty() ? "" : ": " + group.reason));
  }
  if (std::ranges::none_of(group.workers, takes_requests)) {
    return fails("no worker gives a sign of life");
  }
  if (const auto* broken = first_or_null(group, ScriptStatus::State::broken)) {
    return fails(fmt::format("nothing is served of {}: {}", broken->script, broken->reason));
  }
  if (const auto* kept = first_or_null(group, ScriptStatus::State::kept)) {
    return {.serves = true,
            .text = fmt::format("serving, of {} the version of before: {}", kept->script,
                                kept->reason)};
  }
  if (state_of(group) == GroupState::degraded) {
    return {.serves = true, .text = "serving, with workers of before: " + group.reason};
  }
  return {.serves = true, .text = "serving"};
}

}  // namespace pyhost::metrics
