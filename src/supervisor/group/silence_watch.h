// Finds those workers of a group that do not serve any more, although they have not ended.
#pragma once

#include <functional>
#include <string>

#include "supervisor/group/kept_workers.h"
#include "supervisor/group/vigils.h"

namespace pyhost::supervisor {

// "runs, but has accepted no connection for 5 s".
std::string describe(Vigils::Finding finding);

// Looks at the scoreboard, and keeps a vigil over each worker about which there is doubt.
// Single-threaded, in the thread of the loop, which outlives it.
class SilenceWatch {
 public:
  // `on_silent` is called once for a worker that does not serve any more.
  SilenceWatch(os::EventLoop& loop, const GroupParts& parts, const KeptWorkers& kept,
               std::function<void(LivingWorker&, Vigils::Finding)> on_silent);

  // To be called every Vigil::kBetweenLooks, or less often while nothing is to be seen. Whether
  // there was anything to be seen.
  bool look();
  // A worker has answered.
  void heard(pid_t worker) { vigils_.heard(worker); }
  // It has ended.
  void forget(pid_t worker) noexcept { vigils_.forget(worker); }

 private:
  bool look_at(const LivingWorker& worker, bool wanted);
  void heed(pid_t pid, Vigils::Finding finding);

  const GroupParts parts_;
  const KeptWorkers& kept_;
  const std::function<void(LivingWorker&, Vigils::Finding)> on_silent_;
  Vigils vigils_;
  unsigned looks_at_waiting_ = 0;  // since no request of the group has waited
};

}  // namespace pyhost::supervisor
