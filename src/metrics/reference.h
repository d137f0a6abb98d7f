// What the documentation says of the metrics, from their tables.
#pragma once

#include <string>

namespace pyhost::metrics {

// Two Markdown tables: all metrics, and the values of the labels that tell why a request has
// failed.
std::string metrics_tables();

}  // namespace pyhost::metrics
