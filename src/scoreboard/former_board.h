// What the board of another build says.
#pragma once

namespace pyhost::scoreboard {

// Whether an operator has stopped the group whose board that is: the one word, besides the build,
// that never moves.
bool is_stopped_in(int board) noexcept;

}  // namespace pyhost::scoreboard
