// What a slot of a process group is doing.
#pragma once

#include <cstdint>
#include <string_view>

namespace pyhost::scoreboard {

// Of the best of its workers; the supervisor uses the same words for each of them.
enum class SlotState : std::uint32_t {
  empty,     // there is no worker
  starting,  // it is not ready yet
  ready,     // it takes requests
  standby,   // it takes none, and waits: for its successor, or to be put back
  draining,  // it takes none, and is about to end
  dead,      // it has ended, and there is no other yet
};

// "ready".
std::string_view name_of(SlotState state) noexcept;

}  // namespace pyhost::scoreboard
