#include <fmt/format.h>

#include <algorithm>

#include "control/worker_limits.h"
#include "launch/oom_score.h"
#include "launch/worker_needs.h"
#include "launch/worker_start.h"

namespace pyhost::launch {
namespace {

std::string display_name_of(const settings::ProcessGroup& group, const std::string& program) {
  if (group.display_name.empty()) return program;
  return group.display_name == "%{GROUP}" ? fmt::format("(wsgi:{})", group.name)
                                          : group.display_name;
}

std::vector<ResourceLimit> resource_limits_of(const settings::ProcessGroup& group) {
  std::vector<ResourceLimit> limits;
  const auto limit = [&limits](int resource, rlim_t soft, rlim_t hard) {
    limits.push_back({.resource = resource, .soft = soft, .hard = hard});
  };
  if (const auto bytes = group.memory_limit_bytes; bytes != 0) limit(RLIMIT_DATA, bytes, bytes);
  if (const auto bytes = group.virtual_memory_limit_bytes; bytes != 0) {
    limit(RLIMIT_AS, bytes, bytes);
  }
  if (group.cpu_time_limit.count() != 0) {
    // SIGXCPU comes at the soft limit; the worker then has its drain before SIGKILL at the hard
    // one.
    using std::chrono::ceil, std::chrono::seconds;
    const rlim_t soft = ceil<seconds>(group.cpu_time_limit).count();
    const control::WorkerLimits own = control::limits_of(group);
    const rlim_t grace = ceil<seconds>(own.graceful_timeout + own.shutdown_timeout).count() + 1;
    limit(RLIMIT_CPU, soft, soft + grace);
  }
  return limits;
}

}  // namespace

base::Result<WorkerPlan> plan_worker(const settings::ProcessGroup& group,
                                     control::HttpdIdentity httpd, std::string program) {
  PH_TRY(credentials, resolve_credentials(group, httpd));
  PH_TRY_VOID(check_needs(group, thread_room()));
  WorkerPlan plan{.group_name = group.name,
                  .program = std::move(program),
                  .credentials = std::move(credentials),
                  .limits = resource_limits_of(group),
                  .chroot = group.chroot,
                  .working_directory = group.home,
                  .working_directory_required = !group.home.empty(),
                  .umask = group.umask};
  plan.cpu_priority =
      plan.credentials.privileged ? group.cpu_priority : std::max(group.cpu_priority, 0);
  if (plan.credentials.privileged || !is_oom_score_for_root(group)) {
    plan.oom_score_adjust = group.oom_score_adjust;
  }
  plan.display_name = display_name_of(group, plan.program);
  if (group.home.empty() && plan.credentials.other_than_httpd) {
    plan.working_directory = plan.credentials.home;
  }
  return plan;
}

}  // namespace pyhost::launch
