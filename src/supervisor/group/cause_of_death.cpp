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

// Of a worker that gave this reason; none when it is not for a limit of its own.
DeathCause cause_of(std::string_view reason) noexcept {
  if (reason == "request-timeout") return DeathCause::request_timeout;
  if (reason == "deadlock-timeout") return DeathCause::deadlock_timeout;
  if (reason == "startup-timeout") return DeathCause::import_timeout;
  return reason == kSilence ? DeathCause::silence : DeathCause::none;
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

Death with_reason(Death death, std::string_view reason) noexcept {
  const bool as_announced = is_orderly(death) || death.cause == DeathCause::drain_timeout;
  const DeathCause cause = cause_of(reason);
  if (!as_announced || cause == DeathCause::none) return death;
  death.cause = cause;
  death.detail = 0;
  return death;
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
