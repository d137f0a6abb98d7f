#include "control/worker_limits.h"

#include <algorithm>

#include "base/thread.h"

namespace pyhost::control {

WorkerLimits limits_of(const settings::ProcessGroup& group) noexcept {
  using std::chrono::milliseconds;
  const auto or_else = [](milliseconds value, milliseconds instead) {
    return value == milliseconds(0) ? instead : value;
  };
  // What is longer could not be added to the time of day.
  static constexpr milliseconds kLongest = std::chrono::years(10);
  const auto bounded = [](milliseconds value) { return std::min(value, kLongest); };
  // memory-limit is hard for data memory; what is resident leaves before allocations fail.
  constexpr std::uint64_t kTenths = 10;
  return {
      .request_timeout = bounded(group.request_timeout),
      .interrupt_timeout = bounded(group.interrupt_timeout),
      .deadlock_timeout = bounded(group.deadlock_timeout),
      .startup_timeout = bounded(group.startup_timeout),
      .inactivity_timeout = bounded(group.inactivity_timeout),
      .restart_interval = bounded(group.restart_interval),
      .graceful_timeout = bounded(group.graceful_timeout),
      .eviction_timeout = bounded(or_else(group.eviction_timeout, group.graceful_timeout)),
      .shutdown_timeout = bounded(or_else(group.shutdown_timeout, settings::kUnlimitedShutdown)),
      .requests_max = group.maximum_requests,
      .resident_bytes_max = group.memory_limit_bytes / kTenths * (kTenths - 1)};
}

std::size_t stack_bytes_of(const settings::ProcessGroup& group) noexcept {
  return std::max<std::size_t>(group.stack_size_bytes, base::kPythonStackBytes);
}

}  // namespace pyhost::control
