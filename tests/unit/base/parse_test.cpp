#include "base/parse.h"

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

TEST(WithoutPlus, LeavesAllElseAlone) {
  EXPECT_EQ(without_plus("+5s"), "5s");
  for (const char* text : {"", "+", "++5", "+-5", "-5", "5", "+x"}) {
    EXPECT_EQ(without_plus(text), text);
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
  EXPECT_EQ(parse_positive_real(".5"), 0.5);
  EXPECT_EQ(parse_positive_real("5e-3"), 0.005);
  EXPECT_EQ(parse_positive_real("1E2"), 100.0);
}

TEST(ParsePositiveReal, RefusesEverythingElse) {
  for (const char* text : {"", ".", "0", "0.0", "-1", "+1", "1e", "1e999", "0x1", "infinity", "nan",
                           "inf", "1.2.3", "1s", " 1"}) {
    EXPECT_EQ(parse_positive_real(text), std::nullopt) << '"' << text << '"';
  }
}

TEST(ParseBytes, TakesPlainNumbersAndUnits) {
  EXPECT_EQ(parse_bytes("0"), 0u);
  EXPECT_EQ(parse_bytes("65536"), 65536u);
  EXPECT_EQ(parse_bytes("3k"), 3072u);
  EXPECT_EQ(parse_bytes("512M"), 512u << 20);
  EXPECT_EQ(parse_bytes("16G"), 16ull << 30);
}

TEST(ParseBytes, RefusesEverythingElse) {
  for (const char* text : {"", "M", "1 M", "1MB", "1.5M", "-1", "1x", "17179869184G"}) {
    EXPECT_EQ(parse_bytes(text), std::nullopt) << '"' << text << '"';
  }
}

TEST(ParseDuration, CountsPlainNumbersInTheUnitOfTheCaller) {
  using namespace std::chrono_literals;
  EXPECT_EQ(parse_duration("15", 1s), 15s);
  EXPECT_EQ(parse_duration("15", 1ms), 15ms);
  EXPECT_EQ(parse_duration("0", 1s), 0s);
}

TEST(ParseDuration, TakesUnits) {
  using namespace std::chrono_literals;
  EXPECT_EQ(parse_duration("5ms", 1s), 5ms);
  EXPECT_EQ(parse_duration("30S", 1ms), 30s);
  EXPECT_EQ(parse_duration("2min", 1s), 2min);
  EXPECT_EQ(parse_duration("24h", 1s), 24h);
}

TEST(ParseDuration, RefusesEverythingElse) {
  using namespace std::chrono_literals;
  for (const char* text :
       {"", "s", "1 s", "1m", "1.5s", "-1", "1d", "99999999999999999999", "9999999999h"}) {
    EXPECT_EQ(parse_duration(text, 1s), std::nullopt) << '"' << text << '"';
  }
}

TEST(EqualsIgnoringCase, ComparesAsciiLettersOnly) {
  EXPECT_TRUE(equals_ignoring_case("Content-Length", "CONTENT-length"));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
  EXPECT_FALSE(equals_ignoring_case("@", "`"));  // differ by the bit that letters differ by
}

}  // namespace
}  // namespace pyhost::base
