#include "base/printable.h"

#include <gtest/gtest.h>

namespace pyhost::base {
namespace {

TEST(Printable, KeepsWhatPeopleWrite) {
  for (const char* text :
       {"", "plain ~", "b\u00e4h", "\u20ac", "\U0001F40D", "\u043f\u0440\u0438\u0432\u0435\u0442",
        "\u4f60\u597d", "\u0645\u0631\u062d\u0628\u0627", "\u05e9\u05dc\u05d5\u05dd", "\u00a0",
        "\u200d", "\uFFFD", R"(C:\new)"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, EscapesWhatATerminalObeys) {
  EXPECT_EQ(printable("a\x1b[31m\r\x7f"), R"(a\x1b[31m\x0d\x7f)");
  EXPECT_EQ(printable(std::string_view("\0", 1)), R"(\x00)");
  EXPECT_EQ(printable("two\nlines\ttab"), R"(two\nlines\ttab)");
  EXPECT_EQ(printable("\u0080\u009b31m\u009f"), R"(\xc2\x80\xc2\x9b31m\xc2\x9f)");
}

TEST(Printable, EscapesWhatTurnsTheTextAround) {
  EXPECT_EQ(printable("\u202e"), R"(\xe2\x80\xae)");
  for (const char* mark : {"\u061c", "\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d",
                           "\u2066", "\u2067", "\u2068", "\u2069", "\u2028", "\u2029"}) {
    EXPECT_EQ(printable(mark).substr(0, 2), "\\x");
  }
}

TEST(Printable, EscapesBytesThatAreNoUtf8) {
  EXPECT_EQ(printable("\xe4"), R"(\xe4)");
  EXPECT_EQ(printable("\x9b"
                      "31m"),
            R"(\x9b31m)");
  EXPECT_EQ(printable("\xc3("), R"(\xc3()");
  EXPECT_EQ(printable("\xc0\xaf"), R"(\xc0\xaf)");
  EXPECT_EQ(printable("\xe0\x80\x80"), R"(\xe0\x80\x80)");
  EXPECT_EQ(printable("\xed\xa0\x80"), R"(\xed\xa0\x80)");
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), R"(\xf4\x90\x80\x80)");
  EXPECT_EQ(printable("\xf5\x80\x80\x80"), R"(\xf5\x80\x80\x80)");
  EXPECT_EQ(printable("\xe2\x82"), R"(\xe2\x82)");
}

TEST(Printable, KeepsWhatTheCallerWants) {
  EXPECT_EQ(printable("a\tb\nc\x1b", "\n\t"), "a\tb\nc\\x1b");
}

}  // namespace
}  // namespace pyhost::base
