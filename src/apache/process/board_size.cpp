#include "apache/process/board_size.h"

#include <algorithm>

#include "apache/config/config.h"
#include "apache/httpd_api.h"
#include "scoreboard/board_rows.h"

namespace pyhost::apache {
namespace {

unsigned children_max() {
  int number = 0;
  ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &number);
  return static_cast<unsigned>(std::max(number, 1));
}

// Of one child at a time: its own threads, and those of mod_http2, of which there are half as many
// again unless H2MaxWorkers says more.
unsigned waiters_of_child() {
  int threads = 0;
  ap_mpm_query(AP_MPMQ_HARD_LIMIT_THREADS, &threads);
  return 3 * static_cast<unsigned>(std::max(threads, 1));
}

}  // namespace

scoreboard::BoardSize board_size_of(const settings::ProcessGroup& group) {
  return {.slots = scoreboard::row_of(std::max(worker_count(group), 1u)),
          .children = children_max(),
          .waiters = waiters_of_child()};
}

appmetrics::Shape metrics_shape_of(const settings::ProcessGroup& group) {
  return {.bytes = group.metrics_bytes,
          .slots = std::max(worker_count(group), 1u),
          .lanes_per_slot = 2};
}

appmetrics::Shape embedded_metrics_shape() {
  const bool runs_python = !*process_settings().restrict_embedded;
  return {.bytes = runs_python ? settings::ProcessGroup{}.metrics_bytes : 0,
          .slots = children_max(),
          .lanes_per_slot = 1};
}

scoreboard::BoardSize embedded_board_size() {
  return {.slots = 0, .children = children_max(), .waiters = waiters_of_child()};
}

}  // namespace pyhost::apache
