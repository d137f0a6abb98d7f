#include "supervisor/group/group_setup.h"

#include <algorithm>

#include "control/worker_limits.h"

namespace pyhost::supervisor {

bool GroupSetup::is_for(const control::WantedGroup& other) const {
  control::WantedGroup same = other;
  // Places in a list.
  same.log = wanted.log;
  same.board = wanted.board;
  same.reports = wanted.reports;
  same.metrics = wanted.metrics;
  return same == wanted;
}

bool GroupSetup::starts_as(const settings::ProcessGroup& options,
                           const launch::WorkerPlan& plan) const {
  launch::WorkerPlan own = this->plan;
  own.environment.clear();
  return options == wanted.options && plan == own;
}

bool GroupSetup::keeps_workers_of(const GroupSetup& before) const {
  return options().reload == settings::Reload::off && before.is_for(wanted) &&
         plan == before.plan && inputs == before.inputs;
}

LifeLimits life_limits(const settings::ProcessGroup& group) noexcept {
  // The worker keeps its own budgets; the supervisor's only catch one that does not.
  constexpr base::Milliseconds kMargin{1'000};
  const control::WorkerLimits limits = control::limits_of(group);
  return {.startup_max = limits.startup_timeout,
          .drain_max = std::max(limits.graceful_timeout, limits.eviction_timeout) +
                       limits.shutdown_timeout + kMargin};
}

}  // namespace pyhost::supervisor
