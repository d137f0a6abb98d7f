// What Python does about the C locale (PEP 538), for processes in which it may not touch the
// locale.
#pragma once

#include <string_view>

namespace pyhost::base {

// The value for LC_CTYPE, with static storage, so that programs understand UTF-8; nullptr where the
// environment names a locale other than C that is installed, or has LC_ALL. A variable that is not
// set is "".
const char* coerced_ctype(std::string_view lc_all, std::string_view lc_ctype,
                          std::string_view lang);

// Whether there is a locale of that name on this system.
bool is_installed_locale(std::string_view name);

}  // namespace pyhost::base
