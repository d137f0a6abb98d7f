#include "pyhost/base/parse.h"

#include <gtest/gtest.h>

namespace pyhost::base {
namespace {

TEST(ParseUnsigned, TakesDecimalDigits) {
  EXPECT_EQ(parse_unsigned("0"), 0u);
  EXPECT_EQ(parse_unsigned("007"), 7u);
  EXPECT_EQ(parse_unsigned("18446744073709551615"), UINT64_MAX);
}

TEST(ParseUnsigned, RefusesEverythingElse) {
  for (const char* text : {"", " ", "1 ", " 1", "+1", "-1", "1x", "0x10", "1.0", "1e3",
                           "18446744073709551616", "\xd9\xa1"}) {
    EXPECT_EQ(parse_unsigned(text), std::nullopt) << '"' << text << '"';
  }
}

TEST(ParseFlag, TakesOnAndOffInAnyCase) {
  for (const char* text : {"On", "on", "ON", "oN"}) EXPECT_EQ(parse_flag(text), true) << text;
  for (const char* text : {"Off", "off", "OFF"}) EXPECT_EQ(parse_flag(text), false) << text;
}

TEST(ParseFlag, RefusesEverythingElse) {
  for (const char* text : {"", "1", "0", "yes", "true", "on ", "offf"}) {
    EXPECT_EQ(parse_flag(text), std::nullopt) << '"' << text << '"';
  }
}

TEST(ParsePositiveReal, TakesPlainDecimals) {
  EXPECT_EQ(parse_positive_real("1"), 1.0);
  EXPECT_EQ(parse_positive_real("0.005"), 0.005);
}

TEST(ParsePositiveReal, RefusesEverythingElse) {
  for (const char* text :
       {"", ".", "0", "0.0", "-1", "+1", "1e3", "nan", "inf", "1.2.3", "1s", " 1"}) {
    EXPECT_EQ(parse_positive_real(text), std::nullopt) << '"' << text << '"';
  }
}

TEST(EqualsIgnoringCase, ComparesAsciiLettersOnly) {
  EXPECT_TRUE(equals_ignoring_case("Content-Length", "CONTENT-length"));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
  EXPECT_FALSE(equals_ignoring_case("@", "`"));  // differ by the bit that letters differ by
}

}  // namespace
}  // namespace pyhost::base
