// When a file has changed.
#pragma once

#include <cstdint>
#include <string>

namespace pyhost::base {

// In microseconds since the epoch.
struct FileTimes {
  std::int64_t mtime_us = 0;
  std::int64_t ctime_us = 0;  // of the inode: unlike the other one, nobody can set it back
};

// Zeros for a file that is not there, or that cannot be looked at.
FileTimes times_of(const std::string& path) noexcept;

}  // namespace pyhost::base
