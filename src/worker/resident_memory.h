// How much memory this process has in use.
#pragma once

#include <cstdint>

namespace pyhost::worker {

// Resident bytes; in a jail without /proc, the most there ever were.
std::uint64_t resident_bytes() noexcept;

}  // namespace pyhost::worker
