#include "metrics/quantile.h"

#include <gtest/gtest.h>

namespace pyhost::metrics {
namespace {

using Times = scoreboard::Durations<std::uint64_t>;

TEST(Quantile, IsNothingWithoutValues) {
  EXPECT_EQ(quantile(Times{}, 0.5), std::nullopt);
}

TEST(Quantile, LiesWithinItsBucket) {
  Times times{};
  times.buckets[2] = 10;  // 2.5 to 5 ms
  EXPECT_DOUBLE_EQ(*quantile(times, 0.0), 0.0025);
  EXPECT_DOUBLE_EQ(*quantile(times, 0.5), 0.00375);
  EXPECT_DOUBLE_EQ(*quantile(times, 1.0), 0.005);
  times.buckets[0] = 90;
  EXPECT_LE(*quantile(times, 0.9), 0.001);
  EXPECT_GT(*quantile(times, 0.95), 0.0025);
}

TEST(Quantile, IsAtMostTheLastBound) {
  Times times{};
  times.buckets[scoreboard::kDurationBoundsUs.size()] = 1;
  EXPECT_DOUBLE_EQ(*quantile(times, 0.5), 60.0);
}

TEST(Quantile, OfSeveralIsThatOfTheirSum) {
  Times sum{}, one{};
  one.buckets[0] = 1;
  one.sum_us = 500;
  add_values(sum, one);
  add_values(sum, one);
  EXPECT_EQ(sum.buckets[0], 2u);
  EXPECT_EQ(sum.sum_us, 1000u);
}

}  // namespace
}  // namespace pyhost::metrics
