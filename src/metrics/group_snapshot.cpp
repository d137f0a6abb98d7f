#include "metrics/group_snapshot.h"

#include <algorithm>

namespace pyhost::metrics {

std::string_view name_of(GroupStatus::State state) noexcept {
  switch (state) {
    case GroupStatus::State::serving:
      return "serving";
    case GroupStatus::State::degraded:
      return "degraded";
    case GroupStatus::State::failing:
      return "failing";
    case GroupStatus::State::starting:
      return "starting";
    case GroupStatus::State::stopped:
      break;
  }
  return "stopped";
}

bool has_broken_script(const GroupStatus& group) noexcept {
  return std::ranges::any_of(group.scripts, [](const ScriptStatus& script) {
    return script.state != ScriptStatus::State::current;
  });
}

bool has_only_broken_scripts(const GroupStatus& group) noexcept {
  return !group.scripts.empty() &&
         std::ranges::all_of(group.scripts, [](const ScriptStatus& script) {
           return script.state == ScriptStatus::State::broken;
         });
}

}  // namespace pyhost::metrics
