// Counting what children hold, so that a child that crashes can be taken out of the totals.
#pragma once

#include <algorithm>

#include "scoreboard/scoreboard_memory.h"
#include "scoreboard/word.h"

namespace pyhost::scoreboard {

// A child that crashes between two counters leaves them one apart, always with too little in the
// total; stopping at zero makes it right again as soon as nothing is outstanding.
inline void subtract(Word<std::uint32_t>& counter, std::uint32_t amount) noexcept {
  std::uint32_t before = counter.load();
  while (!counter.compare_exchange_weak(before, before - std::min(before, amount))) {
  }
}

// Takes one of `limit`; the count first, so that a crash in between errs to the safe side.
inline bool take_one(Count& count, Word<std::uint32_t>& total, std::uint32_t limit) noexcept {
  ++count;
  std::uint32_t taken = total.load();
  while (taken < limit) {
    if (total.compare_exchange_weak(taken, taken + 1)) return true;
  }
  --count;
  return false;
}

inline void give_one_back(Count& count, Word<std::uint32_t>& total) noexcept {
  subtract(total, 1);
  subtract(count, 1);
}

}  // namespace pyhost::scoreboard
