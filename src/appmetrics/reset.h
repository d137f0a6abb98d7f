// Beginning anew.
#pragma once

#include "appmetrics/memory.h"

namespace pyhost::appmetrics {

// Makes everything that is counted 0, and leaves gauges without a value. What is written meanwhile
// may be lost or kept.
void reset(const Memory& memory) noexcept;

}  // namespace pyhost::appmetrics
