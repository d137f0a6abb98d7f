// What is a trace and what is not: the kinds of values that the suite of W3C Trace Context sends.

#include "apache/request/trace_context.h"

#include <gtest/gtest.h>

#include "apache/request/random_id.h"

namespace pyhost::apache {
namespace {

constexpr std::string_view kTrace = "12345678901234567890123456789012";
constexpr std::string_view kSpan = "1234567890123456";

std::string parent(std::string_view version, std::string_view trace, std::string_view span,
                   std::string_view flags) {
  return std::string(version).append("-").append(trace).append("-").append(span).append("-").append(
      flags);
}

TEST(TraceParent, HasATraceASpanAndFlags) {
  const std::string value = parent("00", kTrace, kSpan, "01");
  const auto read = parse_trace_parent(value);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->trace_id, kTrace);
  EXPECT_EQ(read->parent_id, kSpan);
  EXPECT_EQ(read->flags, "01");
  EXPECT_EQ(format_trace_parent(*read), value);
}

TEST(TraceParent, MayHaveAnyFlags) {
  for (const auto* flags : {"00", "01", "02", "ff"}) {
    EXPECT_TRUE(parse_trace_parent(parent("00", kTrace, kSpan, flags))) << flags;
  }
}

TEST(TraceParent, IsReadInVersionsToComeAsFarAsItIsKnown) {
  const std::string later = parent("cc", kTrace, kSpan, "01");
  EXPECT_TRUE(parse_trace_parent(later));
  EXPECT_TRUE(parse_trace_parent(later + "-what-the-future-will-be-like"));
  EXPECT_FALSE(parse_trace_parent(later + ".what-the-future-will-be-like"));
  const std::string more = later + "-more";
  const auto read = parse_trace_parent(more);
  ASSERT_TRUE(read);
  EXPECT_EQ(format_trace_parent(*read), parent("00", kTrace, kSpan, "01"));
}

TEST(TraceParent, IsNothingElse) {
  const std::string zeros(kTraceIdDigits, '0');
  const std::string few(kTrace.substr(1));
  const std::string many = std::string(kTrace) + "3";
  const std::string mixed = "1234567890123456789012345678901A";
  for (const std::string& value : {
           std::string(),
           std::string("00"),
           parent("00", kTrace, kSpan, "01") + "-more",
           parent("00", kTrace, kSpan, "01") + ".",
           parent("00", kTrace, kSpan, "01") + ", " + parent("00", kTrace, kSpan, "01"),
           parent("ff", kTrace, kSpan, "01"),
           parent(".0", kTrace, kSpan, "01"),
           parent("0.", kTrace, kSpan, "01"),
           parent("000", kTrace, kSpan, "01"),
           parent("0", kTrace, kSpan, "01"),
           parent("00", zeros, kSpan, "01"),
           parent("00", "." + few, kSpan, "01"),
           parent("00", few + ".", kSpan, "01"),
           parent("00", mixed, kSpan, "01"),
           parent("00", many, kSpan, "01"),
           parent("00", few, kSpan, "01"),
           parent("00", kTrace, zeros.substr(kSpanIdDigits), "01"),
           parent("00", kTrace, ".234567890123456", "01"),
           parent("00", kTrace, "123456789012345.", "01"),
           parent("00", kTrace, "12345678901234567", "01"),
           parent("00", kTrace, "123456789012345", "01"),
           parent("00", kTrace, kSpan, ".0"),
           parent("00", kTrace, kSpan, "0."),
           parent("00", kTrace, kSpan, "001"),
           parent("00", kTrace, kSpan, "1"),
           parent("00", kTrace, kSpan, "0A"),
           " " + parent("00", kTrace, kSpan, "01"),
       }) {
    EXPECT_FALSE(parse_trace_parent(value)) << value;
  }
}

std::string members(int count) {
  std::string value;
  for (int i = 0; i < count; ++i) {
    value.append(i == 0 ? "" : ",").append("bar").append(std::to_string(i)).append("=1");
  }
  return value;
}

TEST(TraceState, HasMembersWithCommasBetween) {
  for (const std::string& value : {
           std::string("foo=1"),
           std::string("foo=1,bar=2"),
           std::string("foo=1 \t , \t bar=2, \t baz=3"),
           std::string("foo=1,,bar=2,"),
           std::string("foo=1,foo=2"),
           std::string("fw529a3039@dt=FfAxMjM0NTY3ODkw"),
           std::string("0tenant@v=1"),
           std::string(
               "abcdefghijklmnopqrstuvwxyz0123456789_-*/= !\"#$%&'()*+-./0129:;<>?@AZ[]^_`az{|}~"),
           std::string(256, 'z') + "=1",
           std::string(241, 't') + "@" + std::string(14, 'v') + "=1",
           "z=" + std::string(256, 'v'),
           members(32),
       }) {
    EXPECT_TRUE(is_trace_state(value)) << value;
  }
}

TEST(TraceState, IsNothingElse) {
  for (const std::string& value : {
           std::string(),
           std::string(","),
           std::string("foo"),
           std::string("foo=1,bar"),
           std::string("foo =1"),
           std::string("FOO=1"),
           std::string("foo.bar=1"),
           std::string("foo@=1,bar=2"),
           std::string("@foo=1"),
           std::string("foo@@bar=1"),
           std::string("foo@bar@baz=1"),
           std::string("1foo=1"),
           std::string("foo@1v=1"),
           std::string("foo="),
           std::string("foo=bar=baz"),
           std::string("foo=\x01"),
           std::string(257, 'z') + "=1",
           std::string(242, 't') + "@v=1",
           "t@" + std::string(15, 'v') + "=1",
           "z=" + std::string(257, 'v'),
           members(33),
       }) {
    EXPECT_FALSE(is_trace_state(value)) << value;
  }
}

TEST(RandomId, IsAnotherEachTime) {
  const std::string first = random_id(kTraceIdDigits);
  EXPECT_EQ(first.size(), kTraceIdDigits);
  constexpr int kMoreThanOneSupply = 200;
  for (int i = 0; i < kMoreThanOneSupply; ++i) {
    const std::string id = random_id(kTraceIdDigits);
    EXPECT_NE(id, first);
    EXPECT_TRUE(parse_trace_parent(parent("00", id, random_id(kSpanIdDigits), "01"))) << id;
  }
}

}  // namespace
}  // namespace pyhost::apache
