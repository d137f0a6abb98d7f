#include "base/quantile.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "base/time_text.h"

namespace pyhost::base {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

TEST(Quantile, LiesEvenlyInItsBucket) {
  const std::vector<Bucket> buckets{{1, 0}, {2, 10}, {4, 0}, {kInfinite, 10}};
  EXPECT_EQ(quantile(buckets, 0), 1);
  EXPECT_EQ(quantile(buckets, 0.25), 1.5);
  EXPECT_EQ(quantile(buckets, 0.5), 2);
  EXPECT_EQ(quantile(buckets, 0.9), 4);
}

TEST(Quantile, IsNothingWithoutValues) {
  EXPECT_EQ(quantile({}, 0.5), std::nullopt);
  EXPECT_EQ(quantile(std::vector<Bucket>{{1, 0}, {kInfinite, 0}}, 0.5), std::nullopt);
}

TEST(TimeText, HasTheUnitThatFits) {
  EXPECT_EQ(time_text(0.0004), "0.4 ms");
  EXPECT_EQ(time_text(0.25), "250 ms");
  EXPECT_EQ(time_text(1.26), "1.3 s");
  EXPECT_EQ(time_text(90), "90 s");
  EXPECT_EQ(time_text(600), "10 min");
  EXPECT_EQ(time_text(9'000), "2 h");
  EXPECT_EQ(time_text(864'000), "10 days");
}

}  // namespace
}  // namespace pyhost::base
