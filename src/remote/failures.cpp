#include "remote/failures.h"

namespace pyhost::remote {

using base::Message;
using gateway::FailureCause;
using scoreboard::DeathCause;

FailureCause failure_of(Message message) noexcept {
  switch (message) {
    case Message::queue_full:
      return FailureCause::queue_full;
    case Message::queue_timeout:
      return FailureCause::queue_timeout;
    case Message::group_stopped:
      return FailureCause::group_stopped;
    case Message::worker_unreachable:
    case Message::retries_exhausted:
      return FailureCause::start_failed;
    case Message::client_fault:
      return FailureCause::upload;
    case Message::reply_forbidden:
    case Message::head_too_large:
      return FailureCause::reply_invalid;
    case Message::worker_silent:
      return FailureCause::socket_timeout;
    case Message::worker_of_another_build:
      return FailureCause::worker_of_another_build;
    case Message::spool_failed:
      return FailureCause::spool_failed;
    case Message::frame_malformed:
    case Message::worker_lost:
    case Message::reply_broken:
      return FailureCause::worker_broken;
    default:
      return FailureCause::none;
  }
}

FailureCause failure_of(const scoreboard::Death& death) noexcept {
  switch (death.cause) {
    case DeathCause::signalled:
      return FailureCause::worker_signalled;
    case DeathCause::out_of_memory:
      return FailureCause::worker_out_of_memory;
    case DeathCause::drain_timeout:
      return FailureCause::drain_timeout;
    case DeathCause::request_timeout:
      return FailureCause::request_timeout;
    case DeathCause::deadlock_timeout:
      return FailureCause::deadlock_timeout;
    case DeathCause::startup_timeout:
    case DeathCause::import_timeout:
      return FailureCause::import_timeout;
    case DeathCause::silence:
      return FailureCause::silence;
    case DeathCause::none:
    case DeathCause::exited:
      break;
  }
  return FailureCause::worker_exited;
}

FailureCause believed_failure(FailureCause said) noexcept {
  const bool may_know =
      said == FailureCause::upload || kind_of(said) == gateway::FailureKind::error;
  return may_know ? said : FailureCause::worker_broken;
}

}  // namespace pyhost::remote
