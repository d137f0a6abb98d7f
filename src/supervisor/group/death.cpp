#include "supervisor/group/death.h"

#include <fmt/format.h>

#include <cstring>
#include <fstream>

#include "base/parse.h"
#include "base/signals.h"
#include "scoreboard/scoreboard.h"

namespace pyhost::supervisor {
namespace {

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

}  // namespace

std::string describe(const Death& death) {
  switch (death.cause) {
    case Death::Cause::exited:
      if (death.detail == scoreboard::kWorkerExitBroken) {
        return "has ended because its application had closed descriptors of the process";
      }
      return fmt::format("exited with code {}", death.detail);
    case Death::Cause::signalled:
      return "was killed by " + base::describe_signal(death.detail);
    case Death::Cause::out_of_memory:
      return "was killed by the kernel because memory ran out";
    case Death::Cause::startup_timeout:
      return fmt::format("was killed because it was not ready within {} ms", death.detail);
    case Death::Cause::request_timeout:
      return "has ended because a request ran longer than request-timeout";
    case Death::Cause::deadlock_timeout:
      return "has ended because the lock of an interpreter could not be had within "
             "deadlock-timeout";
    case Death::Cause::import_timeout:
      return "has ended because it had imported no script within startup-timeout";
    case Death::Cause::silence:
      return "has ended because it did not serve any more";
    case Death::Cause::drain_timeout:
      break;
  }
  return fmt::format("was killed because it had not ended within {} ms", death.detail);
}

Death death_of(const siginfo_t& info, KillReason killed, const LifeLimits& limits,
               bool oom_killed) noexcept {
  if (info.si_code == CLD_EXITED) return {Death::Cause::exited, info.si_status};
  if (info.si_status != SIGKILL) return {Death::Cause::signalled, info.si_status};
  if (killed == KillReason::startup_timeout) {
    return {Death::Cause::startup_timeout, limits.startup_max.count()};
  }
  if (killed == KillReason::drain_timeout) {
    return {Death::Cause::drain_timeout, limits.drain_max.count()};
  }
  if (oom_killed) return {Death::Cause::out_of_memory, 0};
  return {Death::Cause::signalled, info.si_status};
}

bool is_limit(Death::Cause cause) noexcept {
  return cause == Death::Cause::request_timeout || cause == Death::Cause::deadlock_timeout ||
         cause == Death::Cause::import_timeout || cause == Death::Cause::silence;
}

Death with_reason(const Death& death, std::optional<control::EndReason> reason) noexcept {
  const bool as_announced =
      death == Death{Death::Cause::exited, 0} || death.cause == Death::Cause::drain_timeout;
  if (!as_announced || !reason) return death;
  switch (*reason) {
    case control::EndReason::request_timeout:
      return {Death::Cause::request_timeout, 0};
    case control::EndReason::deadlock_timeout:
      return {Death::Cause::deadlock_timeout, 0};
    case control::EndReason::startup_timeout:
      return {Death::Cause::import_timeout, 0};
    case control::EndReason::silence:
      return {Death::Cause::silence, 0};
    // These are no failures.
    case control::EndReason::stopped:
    case control::EndReason::eviction:
    case control::EndReason::maximum_requests:
    case control::EndReason::restart_interval:
    case control::EndReason::inactivity_timeout:
    case control::EndReason::cpu_time_limit:
    case control::EndReason::memory_limit:
      break;
  }
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
