#include "serve/log_lines.h"

#include <gtest/gtest.h>

#include <string>

namespace pyhost::serve {
namespace {

constexpr char kOurs[] = "[Sun Nov 22 13:07:24 2026] [wsgi:error] [pid 1:tid 1] ";

std::string shown(const std::string& text) {
  const std::string line = readable_log_line(kOurs + text);
  EXPECT_TRUE(line.starts_with(kOurs));
  return line.substr(std::string(kOurs).size());
}

TEST(LogLine, ShowsATracebackOnLinesOfItsOwn) {
  EXPECT_EQ(shown(R"(Traceback:\n  File \"a.py\", line 1\n\tx = 'a\\b')"),
            "Traceback:\n  File \"a.py\", line 1\n\tx = 'a\\b'");
}

TEST(LogLine, DoesNotUnescapeTwice) {
  EXPECT_EQ(shown(R"(C:\\new \\x41)"), R"(C:\new \x41)");
}

TEST(LogLine, ShowsUtf8Text) {
  EXPECT_EQ(shown(R"(b\xc3\xa4h \xe2\x82\xac \xf0\x9f\x90\x8d)"), "b\u00e4h \u20ac \U0001F40D");
}

TEST(LogLine, KeepsControlCharactersEscaped) {
  for (const char* text :
       {R"(\x1b[31m)", R"(\r)", R"(\b)", R"(\x7f)", R"(\x00)", R"(\xc2\x9b)", R"(\xe2\x80\xae)"}) {
    EXPECT_EQ(shown(text), text);
  }
}

TEST(LogLine, KeepsBytesThatAreNoUtf8Escaped) {
  for (const char* text : {R"(\xe4)", R"(\xc3)", R"(\xc3\x28)", R"(\xc0\xaf)", R"(\xed\xa0\x80)",
                           R"(\xf5\x80\x80\x80)", R"(\xe0\x80\x80)", R"(\xzz)", R"(\x)", R"(\)"}) {
    EXPECT_EQ(shown(text), text);
  }
}

TEST(LogLine, LeavesOtherModulesAlone) {
  const std::string line = R"([Sun Nov 22 13:07:24 2026] [core:error] [pid 1] a\nb [wsgi:error])";
  EXPECT_EQ(readable_log_line(line), line);
  EXPECT_EQ(readable_log_line(R"(AH00526: Syntax error\n)"), R"(AH00526: Syntax error\n)");
  EXPECT_EQ(readable_log_line(""), "");
}

TEST(LogLine, HasNothingThatATerminalObeysWhoeverWroteIt) {
  EXPECT_EQ(readable_log_line("a\tb \x1b[31m \u009b1m \u202e \xff b\u00e4h"),
            "a\tb \\x1b[31m \\xc2\\x9b1m \\xe2\\x80\\xae \\xff b\u00e4h");
  EXPECT_EQ(shown("\x1b[31m \xe2\x80\xae"), R"(\x1b[31m \xe2\x80\xae)");
}

}  // namespace
}  // namespace pyhost::serve
