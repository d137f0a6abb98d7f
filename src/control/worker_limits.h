// What the options of a process group come to in its workers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "settings/process_group.h"

namespace pyhost::control {

// What ends a worker, and how long that may take. 0 switches a limit off; only of graceful_timeout
// it means that requests are not waited for.
struct WorkerLimits {
  std::chrono::milliseconds request_timeout{0};
  std::chrono::milliseconds interrupt_timeout{0};
  std::chrono::milliseconds deadlock_timeout{0};
  std::chrono::milliseconds startup_timeout{0};
  std::chrono::milliseconds inactivity_timeout{0};
  std::chrono::milliseconds restart_interval{0};
  std::chrono::milliseconds graceful_timeout{15'000};
  std::chrono::milliseconds eviction_timeout{15'000};  // instead of it, after SIGUSR1
  std::chrono::milliseconds shutdown_timeout{5'000};   // for the interpreters, after that
  std::uint64_t requests_max = 0;                      // the worker is replaced after about so many
  std::uint64_t resident_bytes_max = 0;

  bool operator==(const WorkerLimits&) const = default;
};

WorkerLimits limits_of(const settings::ProcessGroup& group) noexcept;

// Of each thread that runs Python.
std::size_t stack_bytes_of(const settings::ProcessGroup& group) noexcept;

}  // namespace pyhost::control
