#include "apache/guarded.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace pyhost::apache {
namespace {

std::string reported;

int twice(int number) {
  if (number < 0) throw std::runtime_error("negative");
  if (number == 0) throw 0;
  return 2 * number;
}

void nothing() {
  throw std::runtime_error("nothing");
}

}  // namespace

// Instead of the one that writes to httpd's log.
void report_exception(const char* what) noexcept {
  reported = what;
}

namespace {

TEST(Guarded, ReturnsWhatTheFunctionReturns) {
  EXPECT_EQ((guarded<&twice, 500>)(21), 42);
}

TEST(Guarded, ReturnsTheFallbackForAnException) {
  EXPECT_EQ((guarded<&twice, 500>)(-1), 500);
  EXPECT_EQ(reported, "negative");
  EXPECT_EQ((guarded<&twice, 500>)(0), 500);
  EXPECT_EQ(reported, "an exception of an unknown type");
}

TEST(Guarded, NeedsNoFallbackWhereNothingIsReturned) {
  guarded<&nothing>();
  EXPECT_EQ(reported, "nothing");
}

}  // namespace
}  // namespace pyhost::apache
