// What buckets say of the values that were counted in them.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

namespace pyhost::base {

// Those above the bound of the bucket before.
struct Bucket {
  double up_to = 0;  // of the last one: infinite
  double number = 0;

  bool operator==(const Bucket&) const = default;
};

// What this part of the values, from 0 to 1, do not exceed. They lie evenly in a bucket, which is
// what Prometheus' histogram_quantile() takes them for, and those of the last one at its lower
// bound. Nothing without any value.
inline std::optional<double> quantile(std::span<const Bucket> buckets, double part) noexcept {
  double all = 0;
  for (const Bucket& bucket : buckets) all += bucket.number;
  if (all <= 0) return std::nullopt;
  const double wanted = part * all;
  double below = 0, lower = 0;
  for (const auto& [up_to, number] : buckets) {
    if (std::isinf(up_to)) break;
    if (number > 0 && below + number >= wanted) {
      return lower + (up_to - lower) * std::max(wanted - below, 0.0) / number;
    }
    below += number;
    lower = up_to;
  }
  return lower;
}

}  // namespace pyhost::base
