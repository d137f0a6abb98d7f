// Why a worker ends.
#pragma once

#include <string_view>

namespace pyhost::control {

enum class EndReason {
  stopped,  // SIGTERM, SIGUSR2, or the end of the supervisor
  eviction,
  maximum_requests,
  restart_interval,
  inactivity_timeout,
  request_timeout,
  deadlock_timeout,
  startup_timeout,
  cpu_time_limit,
  memory_limit,
  silence,  // it does not serve any more: what the supervisor says of it; the last one
};

// "request-timeout": the option's name, where one stands for the reason.
std::string_view name_of(EndReason reason) noexcept;

}  // namespace pyhost::control
