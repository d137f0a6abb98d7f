// A word of the scoreboard.
#pragma once

#include <atomic>

namespace pyhost::scoreboard {

// Touched by several processes at the same time. Its own header because a test puts another one in
// its place, to run what shares words in every order; see tests/unit/scoreboard/model.
template <class T>
using Word = std::atomic<T>;

}  // namespace pyhost::scoreboard
