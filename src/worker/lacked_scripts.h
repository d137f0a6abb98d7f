// The scripts that this worker could not import.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>

#include "scoreboard/worker_seat.h"
#include "pyhost/gateway/target.h"
#include "control/worker_settings.h"

namespace pyhost::worker {

// Makes them known: to httpd's children, which then ask other workers, and to the supervisor. A
// script that a process could not import it never can: what the first import has done is still
// there. Any thread.
class LackedScripts {
 public:
  // The seat outlives it.
  explicit LackedScripts(metrics::WorkerSeat& seat) noexcept : seat_(seat) {}

  // It could not be imported, or a request for it has found that again. When this returns, both
  // know it.
  void note(const gateway::Preload& script, std::string_view why);
  void note(const gateway::Target& target, std::string_view why);
  bool has(std::uint64_t script) const;

 private:
  using Clock = std::chrono::steady_clock;

  metrics::WorkerSeat& seat_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Clock::time_point> told_at_;  // guarded by it; by script_key()
};

}  // namespace pyhost::worker
