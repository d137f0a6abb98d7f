#include "supervisor/group/start_reasons.h"

#include <utility>

namespace pyhost::supervisor {

StartReason start_reason_of(control::EndReason reason) noexcept {
  using control::EndReason;
  switch (reason) {
    case EndReason::maximum_requests:
      return StartReason::max_requests;
    case EndReason::memory_limit:
      return StartReason::memory;
    case EndReason::restart_interval:
    case EndReason::inactivity_timeout:
    case EndReason::cpu_time_limit:
      return StartReason::limit;
    case EndReason::request_timeout:
    case EndReason::deadlock_timeout:
    case EndReason::startup_timeout:
    case EndReason::silence:
      return StartReason::timeout;
    case EndReason::lifespan_lost:
      return StartReason::crash;
    case EndReason::stopped:
    case EndReason::eviction:
      break;
  }
  return StartReason::operators;
}

void StartReasons::renewed(unsigned slots, StartReason reason) {
  const auto before = static_cast<unsigned>(slots_.size());
  slots_.resize(slots);
  for (unsigned slot = 0; slot < slots; ++slot) {
    const bool is_new = slot >= before;
    const auto of_new = before == 0 ? StartReason::first : StartReason::scale;
    slots_[slot] = is_new ? of_new : reason;
  }
}

void StartReasons::changed() {
  for (auto& slot : slots_) {
    if (!slot) slot = StartReason::deploy;
  }
}

void StartReasons::note(unsigned slot, StartReason reason) {
  if (slot < slots_.size() && !slots_[slot]) slots_[slot] = reason;
}

void StartReasons::ended(unsigned slot, const scoreboard::Death& death) {
  const bool by_limit = is_limit(death.cause) ||
                        death.cause == scoreboard::DeathCause::startup_timeout ||
                        death.cause == scoreboard::DeathCause::drain_timeout;
  note(slot, by_limit ? StartReason::timeout : StartReason::crash);
}

StartReason StartReasons::take(unsigned slot) {
  if (slot >= slots_.size()) return StartReason::crash;
  return std::exchange(slots_[slot], std::nullopt).value_or(StartReason::crash);
}

}  // namespace pyhost::supervisor
