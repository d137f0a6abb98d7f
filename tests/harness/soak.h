// Tests that do more when there is time.
#pragma once

#include <chrono>
#include <cstdlib>

#include "base/parse.h"

namespace pyhost::test {

// Set by tests/soak/run: for how many seconds the test of that name runs. Others only look whether
// it is set, and then do what takes longer than the ordinary suite has time for.
inline constexpr char kSoakVariable[] = "PYHOST_TEST_SOAK";

inline bool soaking() {
  return std::getenv(kSoakVariable) != nullptr;
}

inline std::chrono::seconds soak_time_or(std::chrono::seconds ordinary) {
  const char* value = std::getenv(kSoakVariable);
  const auto seconds = value == nullptr ? std::nullopt : base::parse_unsigned(value);
  return seconds ? std::chrono::seconds(*seconds) : ordinary;
}

}  // namespace pyhost::test
