// The scripts that this worker could not import.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>

#include "base/clock.h"
#include "pyhost/gateway/target.h"
#include "scoreboard/report_writer.h"

namespace pyhost::worker {

// Makes them known: to httpd's children, which then ask other workers, and to the supervisor. A
// script that a process could not import it never can: what the first import has done is still
// there. Any thread.
class LackedScripts {
 public:
  // The report outlives it.
  explicit LackedScripts(scoreboard::ReportWriter& report) noexcept : report_(report) {}

  // It could not be imported, or a request for it has found that again. When this returns, both
  // know it.
  void note(const gateway::Script& script, std::string_view why);
  void note(const gateway::Target& target, std::string_view why);
  bool has(std::uint64_t script) const;

 private:
  scoreboard::ReportWriter& report_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, base::Clock::time_point> told_at_;  // guarded by it; by script_key()
};

}  // namespace pyhost::worker
