// Tests that can do more when there is time.
#pragma once

#include <cstdlib>

namespace pyhost::test {

// Whether tests/soak/run runs the test: the environment variable PYHOST_TEST_SOAK is set.
inline bool soaking() {
  return std::getenv("PYHOST_TEST_SOAK") != nullptr;
}

}  // namespace pyhost::test
