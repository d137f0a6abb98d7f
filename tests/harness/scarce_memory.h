// Memory that runs out when a test wants it. Whoever links this has an operator new of its own.
#pragma once

#include <string_view>

namespace pyhost::test {

// While it lives, certain threads get so many allocations from operator new, all together, and
// std::bad_alloc from then on. One at a time.
class ScarceMemory {
 public:
  // For the calling thread.
  explicit ScarceMemory(long allocations) noexcept;
  // For the threads whose names begin like that; the text is a literal.
  ScarceMemory(long allocations, std::string_view threads) noexcept;
  ScarceMemory(const ScarceMemory&) = delete;
  ScarceMemory& operator=(const ScarceMemory&) = delete;
  ~ScarceMemory();
};

}  // namespace pyhost::test
