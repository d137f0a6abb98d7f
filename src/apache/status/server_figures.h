// How all process groups are doing, and what httpd's own processes run.
#pragma once

#include <vector>

#include "apache/process/supervision.h"
#include "metrics/group_figures.h"
#include "metrics/group_report.h"

namespace pyhost::apache {

// Both in a child, from shared memory alone: they work whatever the workers do.
metrics::Figures figures_of_server(Supervision& supervision, metrics::WorkerDetail detail);
// Those that a page of httpd shows: what httpd's own processes run is left out where that is
// nothing.
std::vector<metrics::GroupReport> reports_of_server(Supervision& supervision);

}  // namespace pyhost::apache
