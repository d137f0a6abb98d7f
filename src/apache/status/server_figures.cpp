#include "apache/status/server_figures.h"

#include <algorithm>
#include <string>
#include <vector>

#include "apache/config/process_groups.h"
#include "apache/process/run_state.h"
#include "base/clock.h"

namespace pyhost::apache {
namespace {

unsigned threads_of_httpd() {
  int children = 0, threads = 0;
  ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &children);
  ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
  return static_cast<unsigned>(std::max(children, 1)) * static_cast<unsigned>(std::max(threads, 1));
}

}  // namespace

metrics::Figures figures_of_server(Supervision& supervision, metrics::WorkerDetail detail) {
  metrics::Figures figures;
  std::vector<std::string> pythons;
  for (const auto& plugin : supervision.plugins()) pythons.push_back(plugin.python_version);
  metrics::add_build(figures, httpd_version(), pythons);
  const auto now = base::Clock::now();
  if (const auto* board = supervision.embedded_board().get_or_null()) {
    add_group(figures,
              {.name = "",
               .board = *board,
               .threads = threads_of_httpd(),
               .metrics_or_null = supervision.metrics().memory_or_null("")},
              detail, now);
  }
  for (const DaemonGroup* group : all_process_groups()) {
    const auto* board = supervision.scoreboard_or_null(*group);
    if (board == nullptr) continue;
    const settings::ProcessGroup& options = group->options;
    add_group(figures,
              {.name = options.name,
               .board = *board,
               .slots = worker_count(options),
               .threads = options.threads,
               .queue = options.queue,
               .metrics_or_null = supervision.metrics().memory_or_null(options.name)},
              detail, now);
  }
  return figures;
}

}  // namespace pyhost::apache
