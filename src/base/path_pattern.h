// Patterns for absolute paths in which a part may be left open.
#pragma once

#include <string_view>

namespace pyhost::base {

// Whether `path`, or a folder that it is in, is as the pattern says: in it * stands for any part of
// one component, ? for one character of it, and ** for any text, slashes too. Takes time in
// proportion to the product of the lengths, whatever the texts are.
bool is_under_pattern(std::string_view path, std::string_view pattern);

// Whether a text has parts that are left open.
inline bool is_pattern(std::string_view text) noexcept {
  return text.find_first_of("*?") != text.npos;
}

}  // namespace pyhost::base
