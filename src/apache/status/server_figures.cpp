#include "apache/status/server_figures.h"

#include <algorithm>
#include <string>
#include <utility>
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

// Calls `visit` with each group that has a board.
template <class Visit>
void for_each_group(Supervision& supervision, Visit visit) {
  if (const auto* board = supervision.embedded_board().get_or_null()) {
    visit(metrics::MeasuredGroup{.name = "",
                                 .board = *board,
                                 .threads = threads_of_httpd(),
                                 .metrics_or_null = supervision.metrics().memory_or_null("")});
  }
  for (const DaemonGroup* group : all_process_groups()) {
    const auto* board = supervision.scoreboard_or_null(*group);
    if (board == nullptr) continue;
    const settings::ProcessGroup& options = group->options;
    visit(metrics::MeasuredGroup{
        .name = options.name,
        .board = *board,
        .slots = worker_count(options),
        .threads = places_of_worker(options),
        .own_threads = options.threads,
        .queue = options.queue,
        .metrics_or_null = supervision.metrics().memory_or_null(options.name)});
  }
}

}  // namespace

metrics::Figures figures_of_server(Supervision& supervision, metrics::WorkerDetail detail) {
  metrics::Figures figures;
  std::vector<std::string> pythons;
  for (const auto& plugin : supervision.plugins()) pythons.push_back(plugin.python_version);
  metrics::add_build(figures, httpd_version(), pythons);
  const auto now = base::Clock::now();
  for_each_group(supervision, [&](const metrics::MeasuredGroup& group) {
    add_group(figures, group, detail, now);
  });
  return figures;
}

std::vector<metrics::GroupReport> reports_of_server(Supervision& supervision) {
  std::vector<metrics::GroupReport> reports;
  for_each_group(supervision, [&](const metrics::MeasuredGroup& group) {
    auto report = metrics::report_of(group);
    const bool is_idle = report.sums.applications.empty() && report.snapshot.running.empty();
    if (report.is_embedded() && is_idle && !all_process_groups().empty()) return;
    reports.push_back(std::move(report));
  });
  // What is served elsewhere is what people look for first.
  std::stable_partition(reports.begin(), reports.end(),
                        [](const auto& report) { return !report.is_embedded(); });
  return reports;
}

}  // namespace pyhost::apache
