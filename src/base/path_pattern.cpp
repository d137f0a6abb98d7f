#include "base/path_pattern.h"

#include <vector>

namespace pyhost::base {
namespace {

// The positions in a pattern up to which it has matched; the last one is its end.
using Positions = std::vector<bool>;

bool is_deep(std::string_view pattern, std::size_t star) noexcept {
  return pattern.substr(star).starts_with("**");
}

// A star may stand for nothing.
void pass_stars(std::string_view pattern, Positions& reached) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (reached[i] && pattern[i] == '*') reached[i + (is_deep(pattern, i) ? 2 : 1)] = true;
  }
}

Positions behind(char character, std::string_view pattern, const Positions& before) {
  Positions after(pattern.size() + 1);
  const bool inside = character != '/';
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (!before[i]) continue;
    if (pattern[i] == '*') {
      if (inside || is_deep(pattern, i)) after[i] = true;
    } else if (pattern[i] == character || (pattern[i] == '?' && inside)) {
      after[i + 1] = true;
    }
  }
  pass_stars(pattern, after);
  return after;
}

}  // namespace

bool is_under_pattern(std::string_view path, std::string_view pattern) {
  Positions reached(pattern.size() + 1);
  reached[0] = true;
  pass_stars(pattern, reached);
  for (const char character : path) {
    if (reached.back() && character == '/') return true;
    reached = behind(character, pattern, reached);
  }
  return reached.back();
}

}  // namespace pyhost::base
