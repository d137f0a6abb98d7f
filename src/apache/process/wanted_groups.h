// What the configuration wants of the supervisor, put together for the message that tells it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apache/config/daemon_group.h"
#include "apache/config/served_targets.h"
#include "apache/process/error_logs.h"
#include "apache/process/metrics_memories.h"
#include "apache/process/retained_groups.h"
#include "control/wanted_state.h"
#include "launch/credentials.h"
#include "pyhost/base/result.h"

namespace pyhost::apache {

// One per generation of the configuration, used by the parent's only thread.
class WantedGroups {
 public:
  // `retained` are the groups of this build, and outlive it. `former` are those of another build
  // whose place this one takes; null when there is none.
  WantedGroups(server_rec* main_server, RetainedGroups& retained, const RetainedGroups* former,
               MetricsMemories& metrics);

  // Prepares every group of the configuration. What can be prepared is, whatever else fails: a
  // supervisor that takes the place of this one may have to serve it. Fails with the sentence of
  // the first that cannot.
  base::Result<> prepare();

  // Once for each server that has groups and no log for what they say.
  void note_missing_logs();

  control::WantedState& state() noexcept { return state_; }
  const control::WantedState& state() const noexcept { return state_; }
  // That travel with it; the supervisor's own log comes first.
  const std::vector<int>& descriptors() const noexcept { return descriptors_; }

 private:
  base::Result<> prepare(DaemonGroup& group, const GroupServices& services);
  std::string identity_of(const settings::ProcessGroup& group,
                          const launch::Credentials& credentials) const;
  bool is_stopped_in_former(std::string_view name) const;
  unsigned position_of_log(const DaemonGroup& group);
  unsigned position_of_metrics(const settings::ProcessGroup& group, const std::string& identity);

  server_rec* const main_server_;
  RetainedGroups& retained_;
  const RetainedGroups* const former_;
  MetricsMemories& metrics_;
  ErrorLogs logs_;
  control::WantedState state_;
  std::vector<int> descriptors_;  // borrowed from logs_ and retained_
};

}  // namespace pyhost::apache
