#include "base/trimmed.h"

#include <gtest/gtest.h>

namespace pyhost::base {
namespace {

TEST(Trimmed, HasNoBlanksAroundIt) {
  EXPECT_EQ(trimmed(" \t close\tor not \t"), "close\tor not");
  EXPECT_EQ(trimmed("close"), "close");
  EXPECT_EQ(trimmed(" \t "), "");
  EXPECT_EQ(trimmed(""), "");
  EXPECT_EQ(trimmed("\nclose\r"), "\nclose\r");
}

}  // namespace
}  // namespace pyhost::base
