// What the page of pyhost-status shows of one process group.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "apache/status/html.h"
#include "base/clock.h"
#include "metrics/group_report.h"

namespace pyhost::apache {

struct Moment {
  std::int64_t us = 0;    // since the epoch
  base::TimePoint clock;  // the same moment

  double seconds_since(std::int64_t before_us) const noexcept {
    return metrics::in_seconds(
        static_cast<std::uint64_t>(std::max<std::int64_t>(us - before_us, 0)));
  }
};

// Whether the page leads to what the threads of a group do.
enum class Stacks { none, linked };

// Appends its section; `number` is its place on the page.
void put_group(Html& html, const metrics::GroupReport& group, std::size_t number, const Moment& now,
               Stacks stacks);

// The class of style that stands for a state: "good", "warn", "bad" or "".
std::string_view style_of(metrics::GroupState state) noexcept;

}  // namespace pyhost::apache
