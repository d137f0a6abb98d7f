#include "pyapi/duration_series.h"

#include <gtest/gtest.h>

namespace pyhost::pyapi {
namespace {

TEST(DurationSeries, HasFourClassesForEachOctaveFromAMillisecondOn) {
  const auto class_of = DurationSeries::class_of;
  EXPECT_EQ(DurationSeries::kClasses, 65u);
  EXPECT_EQ(class_of(0), 0u);
  EXPECT_EQ(class_of(999), 0u);
  EXPECT_EQ(class_of(1'000), 0u);
  EXPECT_EQ(class_of(1'249), 0u);
  EXPECT_EQ(class_of(1'250), 1u);
  EXPECT_EQ(class_of(1'999), 3u);
  EXPECT_EQ(class_of(2'000), 4u);
  EXPECT_EQ(class_of(2'499), 4u);
  EXPECT_EQ(class_of(2'500), 5u);
  EXPECT_EQ(class_of(32'768'000), 60u);
  EXPECT_EQ(class_of(65'535'999), 63u);
  EXPECT_EQ(class_of(65'536'000), 64u);
  EXPECT_EQ(class_of(3'600'000'000), 64u);
}

TEST(DurationSeries, NeverPutsWhatIsLongerIntoAnEarlierClass) {
  std::size_t last = 0;
  for (std::int64_t us = 0; us < 70'000'000; us += 117) {
    const std::size_t now = DurationSeries::class_of(us);
    ASSERT_GE(now, last) << us;
    ASSERT_LE(now, last + 1) << us;
    last = now;
  }
  EXPECT_EQ(last, 64u);
}

TEST(DurationSeries, KnowsItsSumAndItsEnds) {
  DurationSeries series;
  for (const std::int64_t us : {3'000, 1'500, 70'000}) series.add(us);
  EXPECT_EQ(series.count(), 3u);
  EXPECT_EQ(series.sum_us(), 74'500);
  EXPECT_EQ(series.min_us(), 1'500);
  EXPECT_EQ(series.max_us(), 70'000);
  EXPECT_EQ(series.classes()[2], 1u);
}

TEST(DurationSeries, TakesAClockThatWasSetBackForNoTime) {
  DurationSeries series;
  series.add(-5);
  EXPECT_EQ(series.min_us(), 0);
  EXPECT_EQ(series.classes()[0], 1u);
}

}  // namespace
}  // namespace pyhost::pyapi
