#include "scoreboard/slot_state.h"

namespace pyhost::scoreboard {

std::string_view name_of(SlotState state) noexcept {
  switch (state) {
    case SlotState::empty:
      return "empty";
    case SlotState::starting:
      return "starting";
    case SlotState::ready:
      return "ready";
    case SlotState::standby:
      return "standby";
    case SlotState::draining:
      return "draining";
    case SlotState::dead:
      break;
  }
  return "dead";
}

}  // namespace pyhost::scoreboard
