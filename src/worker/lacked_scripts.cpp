#include "worker/lacked_scripts.h"

#include "base/clock.h"
#include "control/worker_report.h"

namespace pyhost::worker {
namespace {

using StatusKind = control::StatusReport::Kind;

// Between two reports that a script is still wanted.
constexpr std::chrono::seconds kPause{1};

}  // namespace

void LackedScripts::note(const gateway::Script& script, std::string_view why) {
  const std::uint64_t key = script_key(script);
  const base::Clock::time_point now = base::Clock::now();
  const std::lock_guard lock(mutex_);
  const auto [told, first] = told_at_.try_emplace(key, now);
  if (first) {
    report_.lack(key);
    control::report({.kind = StatusKind::lacks, .text = std::string(why), .script = script});
  } else if (now - told->second >= kPause) {
    told->second = now;
    control::report({.kind = StatusKind::import_again, .script = script});
  }
}

bool LackedScripts::has(std::uint64_t script) const {
  const std::lock_guard lock(mutex_);
  return told_at_.contains(script);
}

void LackedScripts::note(const gateway::Target& target, std::string_view why) {
  note(script_of(target), why);
}

}  // namespace pyhost::worker
