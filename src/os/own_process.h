// What the kernel counts of this process.
#pragma once

#include <cstdint>

namespace pyhost::os {

// Memory in use; where /proc cannot be read, as in a jail, the most that it ever was.
std::uint64_t resident_bytes() noexcept;
// The most that it ever was.
std::uint64_t resident_bytes_max() noexcept;

// Of all its threads, in microseconds.
struct ProcessorUse {
  std::int64_t user_us = 0;
  std::int64_t system_us = 0;
};
ProcessorUse processor_use() noexcept;

// When it began, in microseconds since the epoch; where /proc cannot be read, now.
std::int64_t start_of_process_us() noexcept;

}  // namespace pyhost::os
