// What the programs of the module can be asked on their command line.
#pragma once

namespace pyhost::control {

// pyhost-supervisor and pyhost-worker write their build on a line of standard output and end.
inline constexpr char kShowBuild[] = "--build";

}  // namespace pyhost::control
