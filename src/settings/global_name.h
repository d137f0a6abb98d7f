// The name of what needs none.
#pragma once

namespace pyhost::settings {

// As a process group: httpd's own children. As an application group: the main interpreter.
inline constexpr char kGlobalName[] = "%{GLOBAL}";

}  // namespace pyhost::settings
