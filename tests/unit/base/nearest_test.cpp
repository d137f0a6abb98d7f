#include "base/nearest.h"

#include <gtest/gtest.h>

#include <array>

namespace pyhost::base {
namespace {

constexpr std::array<std::string_view, 4> kNames{"shop", "wimslti", "threads", "python-path"};

TEST(NearestName, IsTheOneWithTheFewestSlips) {
  EXPECT_EQ(nearest_name("shpo", kNames), "shop");
  EXPECT_EQ(nearest_name("wims-lti", kNames), "wimslti");
  EXPECT_EQ(nearest_name("thread", kNames), "threads");
  EXPECT_EQ(nearest_name("python_path", kNames), "python-path");
  EXPECT_EQ(nearest_name("THREADS", kNames), "threads");
  EXPECT_EQ(hint_at_nearest("shpo", kNames), " (the nearest name is 'shop')");
}

TEST(NearestName, IsNoneWhenNoneIsLikeIt) {
  for (const char* written : {"", "blog", "x", "a-long-name-of-something-else"}) {
    EXPECT_EQ(nearest_name(written, kNames), "") << written;
    EXPECT_EQ(hint_at_nearest(written, kNames), "") << written;
  }
  EXPECT_EQ(nearest_name(std::string(100'000, 'x'), kNames), "");
  EXPECT_EQ(nearest_name("a", std::array<std::string_view, 2>{"b", ""}), "");
}

}  // namespace
}  // namespace pyhost::base
