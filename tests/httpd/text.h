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

// What stands between the first `before` and the next `after`; empty when it is not there.
inline std::string_view between(std::string_view text, std::string_view before,
                                std::string_view after) {
  const auto start = text.find(before);
  if (start == text.npos) return {};
  text.remove_prefix(start + before.size());
  const auto end = text.find(after);
  return end == text.npos ? std::string_view() : text.substr(0, end);
}

}  // namespace pyhost::test
