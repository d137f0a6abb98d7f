// Where the workers of a slot are on the scoreboard of their group.
#pragma once

namespace pyhost::scoreboard {

// A slot has one worker, and may have others that are kept for scripts that this one could not
// import: one for each time that a script has broken while others have changed.
inline constexpr unsigned kKeepersOfSlot = 2;
// A row each. Those of a slot are together, so that they stay where they are when slots are added.
inline constexpr unsigned kRowsOfSlot = 1 + kKeepersOfSlot;

constexpr unsigned row_of(unsigned slot) noexcept {
  return slot * kRowsOfSlot;
}
constexpr unsigned keeper_row(unsigned slot, unsigned keeper) noexcept {
  return row_of(slot) + 1 + keeper;
}
constexpr unsigned slot_of(unsigned row) noexcept {
  return row / kRowsOfSlot;
}
constexpr bool is_keeper_row(unsigned row) noexcept {
  return row % kRowsOfSlot != 0;
}

}  // namespace pyhost::scoreboard
