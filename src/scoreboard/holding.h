// Counting what children hold, so that a child that crashes can be taken out of the totals.
#pragma once

#include <algorithm>

#include "scoreboard/scoreboard_memory.h"

namespace pyhost::metrics {

// A child that crashes between two counters leaves them one apart, always with too little in the
// total; stopping at zero makes it right again as soon as nothing is outstanding.
inline void subtract(std::atomic<std::uint32_t>& counter, std::uint32_t amount) noexcept {
  std::uint32_t before = counter.load();
  while (!counter.compare_exchange_weak(before, before - std::min(before, amount))) {
  }
}

// Takes one of `places`; the holding first, so that a crash in between errs to the safe side.
inline bool take_one(Holding& holding, std::atomic<std::uint32_t>& total,
                     std::uint32_t places) noexcept {
  ++holding;
  std::uint32_t taken = total.load();
  while (taken < places) {
    if (total.compare_exchange_weak(taken, taken + 1)) return true;
  }
  --holding;
  return false;
}

inline void give_one_back(Holding& holding, std::atomic<std::uint32_t>& total) noexcept {
  subtract(total, 1);
  subtract(holding, 1);
}

}  // namespace pyhost::metrics
