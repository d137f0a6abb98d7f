// What the supervisor counts of a group's workers, on its scoreboard.
#pragma once

#include <sys/resource.h>

#include <optional>

#include "base/clock.h"
#include "scoreboard/totals.h"
#include "supervisor/group/group_setup.h"
#include "supervisor/group/living_workers.h"
#include "supervisor/group/start_reasons.h"

namespace pyhost::supervisor {

// The totals go on where a supervisor of before has left them: they are on the board. Single-
// threaded; the setup and the workers outlive it.
class WorkerCounts {
 public:
  // Memory and processor time are looked at as often as that. What is shared is costly to find, so
  // it is looked for less often.
  static constexpr std::chrono::seconds kBetweenLooks{5};
  static constexpr unsigned kLooksForShared = 6;

  WorkerCounts(const GroupSetup& setup, LivingWorkers& workers) noexcept
      : setup_(setup), workers_(workers) {}

  StartReasons& reasons() noexcept { return reasons_; }

  void started(unsigned slot);
  void ready(const LivingWorker& worker);
  void ended(const LivingWorker& worker, const scoreboard::Death& death, const rusage& usage);
  void deployed(scoreboard::DeployResult result);

  // Looks at what the workers use when that is due.
  void look(base::TimePoint now);

 private:
  scoreboard::WorkerTotals<scoreboard::Total>& totals() const noexcept {
    return setup_.scoreboard->totals().workers;
  }
  void take_up(ProcessorTime& counted, const ProcessorTime& used) const;

  const GroupSetup& setup_;
  LivingWorkers& workers_;
  StartReasons reasons_;
  std::optional<base::TimePoint> look_at_;
  unsigned looks_ = 0;
};

}  // namespace pyhost::supervisor
