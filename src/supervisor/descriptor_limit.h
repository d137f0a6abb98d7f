// The supervisor's limit of open files, and what its workers get of it.
#pragma once

#include "launch/worker_start.h"

namespace pyhost::supervisor {

// Raises this process's soft limit to the hard one. What workers are to have is the limit of
// before: the select() of an application does not take descriptors above 1023.
launch::ResourceLimit raise_descriptor_limit() noexcept;

// About how many descriptors the supervisor has open at most that is passed so many and has so many
// workers, when all of them are renewed at once.
std::size_t descriptors_needed(std::size_t passed, std::size_t workers) noexcept;

// A sentence when the limit is too small for that; "" when it is not.
std::string describe_descriptor_shortage(std::size_t needed);

}  // namespace pyhost::supervisor
