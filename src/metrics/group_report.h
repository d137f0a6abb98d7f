// Everything that there is to be said of a process group at one moment, for people.
#pragma once

#include <string>

#include "metrics/group_figures.h"
#include "metrics/group_snapshot.h"
#include "scoreboard/group_sums.h"

namespace pyhost::metrics {

struct GroupReport {
  GroupSnapshot snapshot;
  scoreboard::GroupSums sums{};
  unsigned threads = 0;  // of all its workers, or of httpd's own processes; places in event loops
  unsigned own_threads = 0;  // of a worker; event loops take more than these
  unsigned sockets = 0;      // WebSockets that are open
  unsigned queue = 0;

  // What httpd's own processes run has no name and no workers, and serves as long as they do.
  bool is_embedded() const noexcept { return snapshot.name.empty(); }
  GroupState state() const noexcept {
    return is_embedded() ? GroupState::serving : state_of(snapshot);
  }
  // As directives name it.
  std::string name() const { return is_embedded() ? "%{GLOBAL}" : snapshot.name; }
};

// Only reads the board.
GroupReport report_of(const MeasuredGroup& group);

}  // namespace pyhost::metrics
