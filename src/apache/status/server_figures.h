// The figures of all process groups, and of what httpd's own processes run.
#pragma once

#include "apache/process/supervision.h"
#include "metrics/group_figures.h"

namespace pyhost::apache {

// In a child, from shared memory alone: it works whatever the workers do.
metrics::Figures figures_of_server(Supervision& supervision, metrics::WorkerDetail detail);

}  // namespace pyhost::apache
