// Texts without the blanks around them.
#pragma once

#include <algorithm>
#include <string_view>

namespace pyhost::base {

// Spaces and tabs, as in lists of HTTP (RFC 9110, OWS).
inline std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kBlanks = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

}  // namespace pyhost::base
