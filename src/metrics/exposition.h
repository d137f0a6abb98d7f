// Figures as texts that other programs read.
#pragma once

#include <string>

#include "metrics/figures.h"

namespace pyhost::metrics {

inline constexpr char kPrometheusType[] = "text/plain; version=0.0.4; charset=utf-8";
inline constexpr char kOpenMetricsType[] =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";
inline constexpr char kJsonType[] = "application/json";

// Prometheus' text format 0.0.4. A family without samples is named all the same.
std::string prometheus_text(const Figures& figures);
// OpenMetrics 1.0.
std::string openmetrics_text(const Figures& figures);

}  // namespace pyhost::metrics
