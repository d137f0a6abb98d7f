// Figures as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "metrics/figures.h"

namespace pyhost::metrics {

// An object with a member for each family, by its name: an array of its samples, which have
// `labels` and a `value`, or for a histogram `buckets` (the upper bound in seconds, null for the
// last, and how many values were not above it), `sum` and `count`. ASCII.
nlohmann::ordered_json json_of(const Figures& figures);

}  // namespace pyhost::metrics
