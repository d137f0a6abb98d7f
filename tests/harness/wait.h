// Waiting for a condition, with a deadline instead of a sleep.
#pragma once

#include <chrono>
#include <thread>

namespace pyhost::test {

inline constexpr std::chrono::seconds kPatience{30};

// Polls until `holds()` is true; false when `patience` is over first.
template <class Condition>
[[nodiscard]] bool wait_until(Condition holds, std::chrono::milliseconds patience = kPatience) {
  constexpr std::chrono::milliseconds kPollInterval{5};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPollInterval);
  }
  return true;
}

}  // namespace pyhost::test
