#include "supervisor/group/cause_of_death.h"

#include <fmt/format.h>

#include <fstream>

#include "base/parse.h"

namespace pyhost::supervisor {
namespace {

using scoreboard::Death;
using scoreboard::DeathCause;

// The file with the counter for the control group that one line of /proc/self/cgroup names,
// "hierarchy:controllers:path"; "" for the other hierarchies.
std::string counter_file(const std::string& line) {
  const auto first = line.find(':');
  const auto second = line.find(':', first + 1);
  if (first == line.npos || second == line.npos) return "";
  const std::string controllers = line.substr(first + 1, second - first - 1);
  const std::string path = line.substr(second + 1);
  if (controllers.empty()) return fmt::format("/sys/fs/cgroup{}/memory.events", path);
  if (controllers == "memory")
    return fmt::format("/sys/fs/cgroup/memory{}/memory.oom_control", path);
  return "";
}

// "" when there is none.
std::string find_counter_file() {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    std::string file = counter_file(line);
    if (!file.empty() && std::ifstream(file)) return file;
  }
  return "";
}

// Of a worker that ends for this reason; none when it is no failure.
DeathCause cause_of(control::EndReason reason) noexcept {
  using control::EndReason;
  switch (reason) {
    case EndReason::request_timeout:
      return DeathCause::request_timeout;
    case EndReason::deadlock_timeout:
      return DeathCause::deadlock_timeout;
    case EndReason::startup_timeout:
      return DeathCause::import_timeout;
    case EndReason::silence:
      return DeathCause::silence;
    case EndReason::stopped:
    case EndReason::eviction:
    case EndReason::maximum_requests:
    case EndReason::restart_interval:
    case EndReason::inactivity_timeout:
    case EndReason::cpu_time_limit:
    case EndReason::memory_limit:
    case EndReason::lifespan_lost:
      break;
  }
  return DeathCause::none;
}

}  // namespace

Death death_of(const siginfo_t& info, KillReason killed, const LifeLimits& limits,
               bool oom_killed) noexcept {
  if (info.si_code == CLD_EXITED) return {DeathCause::exited, info.si_status};
  if (info.si_status != SIGKILL) return {DeathCause::signalled, info.si_status};
  if (killed == KillReason::startup_timeout) {
    return {DeathCause::startup_timeout, limits.startup_max.count()};
  }
  if (killed == KillReason::drain_timeout) {
    return {DeathCause::drain_timeout, limits.drain_max.count()};
  }
  if (oom_killed) return {DeathCause::out_of_memory};
  return {DeathCause::signalled, info.si_status};
}

Death with_reason(Death death, std::optional<control::EndReason> reason) noexcept {
  const bool as_announced = is_orderly(death) || death.cause == DeathCause::drain_timeout;
  const DeathCause cause = reason ? cause_of(*reason) : DeathCause::none;
  if (!as_announced || cause == DeathCause::none) return death;
  death.cause = cause;
  death.detail = 0;
  return death;
}

bool is_planned(const LastState& last, const Death& death) noexcept {
  // One that has just been started does not know better.
  const bool ended_by_us = death.cause == DeathCause::signalled &&
                           (death.detail == SIGTERM || death.detail == control::kHurrySignal);
  return last.state == SlotState::draining && (is_orderly(death) || ended_by_us);
}

OomCounter::OomCounter() : OomCounter(find_counter_file()) {}

OomCounter::OomCounter(std::string file) : file_(std::move(file)) {
  last_ = read().value_or(0);
}

bool OomCounter::has_grown() {
  const auto count = read();
  if (!count || *count <= last_) return false;
  last_ = *count;
  return true;
}

std::optional<std::uint64_t> OomCounter::read() const {
  std::ifstream file(file_);
  std::string key;
  for (std::string value; file >> key >> value;) {
    if (key == "oom_kill") return base::parse_unsigned(value);
  }
  return std::nullopt;
}

}  // namespace pyhost::supervisor
