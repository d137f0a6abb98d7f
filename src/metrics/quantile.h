// What a histogram says of the times that it was made of.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>

#include "scoreboard/totals.h"

namespace pyhost::metrics {

// The seconds that this part of the values, from 0 to 1, do not exceed; even within a bucket, which
// is what Prometheus' histogram_quantile() takes them for. Beyond the last bound: that bound.
// Nothing without any value.
template <const auto& kBounds>
std::optional<double> quantile(const scoreboard::Histogram<std::uint64_t, kBounds>& histogram,
                               double part) {
  constexpr double kMicroseconds = 1e6;
  const auto number =
      std::accumulate(std::begin(histogram.buckets), std::end(histogram.buckets), std::uint64_t{0});
  if (number == 0) return std::nullopt;
  const double wanted = part * static_cast<double>(number);
  double below = 0, lower = 0;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    const auto here = static_cast<double>(histogram.buckets[i]);
    const auto upper = static_cast<double>(kBounds[i]);
    if (here > 0 && below + here >= wanted) {
      return (lower + (upper - lower) * std::max(wanted - below, 0.0) / here) / kMicroseconds;
    }
    below += here;
    lower = upper;
  }
  return lower / kMicroseconds;
}

// Adds the values of one to those of another.
template <const auto& kBounds>
void add_values(scoreboard::Histogram<std::uint64_t, kBounds>& sum,
                const scoreboard::Histogram<std::uint64_t, kBounds>& more) noexcept {
  for (std::size_t i = 0; i <= kBounds.size(); ++i) sum.buckets[i] += more.buckets[i];
  sum.sum_us += more.sum_us;
}

}  // namespace pyhost::metrics
