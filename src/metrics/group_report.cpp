#include "metrics/group_report.h"

#include <utility>

namespace pyhost::metrics {

GroupReport report_of(const MeasuredGroup& group) {
  GroupSnapshot snapshot = snapshot_of(group.board, group.name, group.slots, group.threads);
  snapshot.running = group.board.running_requests();
  return {.snapshot = std::move(snapshot),
          .sums = scoreboard::sums_of(group.board.totals()),
          .threads = group.is_embedded() ? group.threads : group.slots * group.threads,
          .queue = group.queue};
}

}  // namespace pyhost::metrics
