// Which build this is.
#pragma once

#include <cstddef>

namespace pyhost::gateway {

// "0.1.0-0123456789ab": the version, and a digest of all that crosses a border between programs, or
// between a program and its plugin; see cmake/PyhostBuildId.cmake. Of whatever this is linked into.
// Two programs that differ in it read nothing of each other but what says so.
extern const char kBuildId[];

// No build has a longer one.
inline constexpr std::size_t kBuildIdBytesMax = 39;

}  // namespace pyhost::gateway
