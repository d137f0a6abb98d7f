// What the cells of several writers come to.
#pragma once

#include <optional>

#include "appmetrics/lanes.h"
#include "appmetrics/record.h"

namespace pyhost::appmetrics {

// Of what is only added to: one of its cells. Not less than what was read before.
double total_of(const Memory& memory, const CellsPlace& place, std::uint32_t cell = 0) noexcept;

// Of a gauge; nothing when no worker that counts has set it.
std::optional<double> merged(const Memory& memory, const CellsPlace& place, Merge merge,
                             const CountedLanes& lanes) noexcept;

}  // namespace pyhost::appmetrics
