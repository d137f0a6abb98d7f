#include "metrics/group_report.h"

#include <utility>

namespace pyhost::metrics {

GroupReport report_of(const MeasuredGroup& group) {
  GroupSnapshot snapshot = snapshot_of(group.board, group.name, group.slots, group.threads);
  snapshot.running = group.board.running_requests();
  const unsigned threads = group.is_embedded() ? group.threads : places_of(snapshot);
  return {.snapshot = std::move(snapshot),
          .sums = scoreboard::sums_of(group.board.totals()),
          .threads = threads,
          .own_threads = group.own_threads,
          .sockets = group.board.sockets(),
          .queue = group.queue};
}

}  // namespace pyhost::metrics
