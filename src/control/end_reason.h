// Why a worker ends.
#pragma once

#include <signal.h>

#include <string_view>

namespace pyhost::control {

enum class EndReason {
  stopped,  // SIGTERM, kHurrySignal, or the end of the supervisor
  eviction,
  maximum_requests,
  restart_interval,
  inactivity_timeout,
  request_timeout,
  deadlock_timeout,
  startup_timeout,
  cpu_time_limit,
  memory_limit,
  lifespan_lost,  // an application has lost what it has set up at its start
  silence,        // it does not serve any more: what the supervisor says of it; the last one
};

// What tells a worker that httpd ends, in place of SIGTERM. SIGHUP and SIGUSR2 are its
// applications'.
inline constexpr int kHurrySignal = SIGPWR;

// "request-timeout": the option's name, where one stands for the reason.
std::string_view name_of(EndReason reason) noexcept;

}  // namespace pyhost::control
