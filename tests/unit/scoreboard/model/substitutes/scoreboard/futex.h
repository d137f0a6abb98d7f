// In place of src/scoreboard/futex.h.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "scoreboard/word.h"

namespace pyhost::scoreboard {

inline void sleep_on(const Word<std::uint32_t>& word, std::uint32_t seen,
                     base::TimePoint deadline) noexcept {
  if (word.load() == seen) test::Scheduler::sleep(&word, deadline);
}

inline void wake_sleepers(Word<std::uint32_t>& word, int sleepers) noexcept {
  test::Scheduler::step();
  test::Scheduler::wake(&word, sleepers);
}

}  // namespace pyhost::scoreboard
