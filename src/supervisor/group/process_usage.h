// What a process uses of the machine, as /proc says.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace pyhost::supervisor {

struct ProcessorTime {
  std::uint64_t user_us = 0;
  std::uint64_t system_us = 0;
};

// Nothing when the process has ended, or when the system does not say.
std::optional<ProcessorTime> processor_time_of(pid_t pid);
// Of one that has ended, with the processes that it has waited for.
ProcessorTime processor_time_of(const rusage& usage) noexcept;
// Memory that is not swapped out.
std::optional<std::uint64_t> resident_bytes_of(pid_t pid);
// The same, where what several processes share counts in part. Costs some milliseconds for each
// GiB.
std::optional<std::uint64_t> proportional_bytes_of(pid_t pid);

}  // namespace pyhost::supervisor
