// What a histogram says of the times that it was made of.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <optional>

#include "base/quantile.h"
#include "metrics/figures.h"
#include "scoreboard/totals.h"

namespace pyhost::metrics {

// The seconds that this part of the values, from 0 to 1, do not exceed; see base::quantile().
template <const auto& kBounds>
std::optional<double> quantile(const scoreboard::Histogram<std::uint64_t, kBounds>& histogram,
                               double part) {
  std::array<base::Bucket, kBounds.size() + 1> buckets;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const bool is_last = i == kBounds.size();
    buckets[i] = {
        .up_to = is_last ? std::numeric_limits<double>::infinity() : in_seconds(kBounds[i]),
        .number = static_cast<double>(histogram.buckets[i])};
  }
  return base::quantile(buckets, part);
}

// Adds the values of one to those of another.
template <const auto& kBounds>
void add_values(scoreboard::Histogram<std::uint64_t, kBounds>& sum,
                const scoreboard::Histogram<std::uint64_t, kBounds>& more) noexcept {
  for (std::size_t i = 0; i <= kBounds.size(); ++i) sum.buckets[i] += more.buckets[i];
  sum.sum_us += more.sum_us;
}

}  // namespace pyhost::metrics
