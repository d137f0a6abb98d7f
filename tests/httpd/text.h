// Looking at texts in tests.
#pragma once

#include <cstddef>
#include <string_view>

namespace pyhost::test {

// How often `part` occurs in `text`.
inline std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace pyhost::test
