// Sleeping on a word of shared memory until another process changes it.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "scoreboard/word.h"

namespace pyhost::scoreboard {

// Until the word is woken or the deadline passed; at once when it is not `seen` any more. May end
// early.
inline void sleep_on(const Word<std::uint32_t>& word, std::uint32_t seen,
                     base::Clock::time_point deadline) noexcept {
  const auto since_boot = deadline.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
  const timespec until{.tv_sec = seconds.count(), .tv_nsec = (since_boot - seconds).count()};
  ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, seen, &until, nullptr, FUTEX_BITSET_MATCH_ANY);
}

inline void wake_sleepers(Word<std::uint32_t>& word, int sleepers) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, sleepers, nullptr, nullptr, 0);
}

}  // namespace pyhost::scoreboard
