#include "serve/log_lines.h"

#include <gtest/gtest.h>

#include <string>

#include "serve/log_record.h"

namespace pyhost::serve {
namespace {

constexpr char kOurs[] = "[Sun Nov 22 13:07:24 2026] [wsgi:error] [pid 1:tid 1] ";

std::string shown(const std::string& text) {
  const auto line = shown_record(kOurs + text, {.style = LogStyle::as_written});
  EXPECT_TRUE(line && line->starts_with(kOurs));
  return line.value_or("").substr(std::string(kOurs).size());
}

std::string as_written(const std::string& line) {
  return shown_record(line, {.style = LogStyle::as_written}).value_or("(nothing)");
}

std::string brief(const std::string& line, LogView view = {}) {
  return shown_record(line, view).value_or("(nothing)");
}

// --- A record, taken apart -----------------------------------------------------------------------

TEST(LogRecord, IsTakenApart) {
  const auto record = parse_log_record(
      "[Sun Nov 22 13:07:24.123456 2026] [core:warn] [pid 12:tid 34] [client 10.0.0.1:5] AH1: x");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->time, "Sun Nov 22 13:07:24.123456 2026");
  EXPECT_EQ(record->module, "core");
  EXPECT_EQ(record->level, "warn");
  EXPECT_EQ(record->pid, "12");
  EXPECT_EQ(record->client, "10.0.0.1:5");
  EXPECT_EQ(record->text, "AH1: x");
  EXPECT_FALSE(parse_log_record("AH00526: Syntax error"));
  EXPECT_FALSE(parse_log_record("[a] [b] [c] d"));
  EXPECT_FALSE(parse_log_record(""));
}

// --- As written ----------------------------------------------------------------------------------

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
  EXPECT_EQ(as_written(line), line);
  EXPECT_EQ(as_written(R"(AH00526: Syntax error\n)"), R"(AH00526: Syntax error\n)");
  EXPECT_EQ(as_written(""), "");
}

TEST(LogLine, HasNothingThatATerminalObeysWhoeverWroteIt) {
  EXPECT_EQ(as_written("a\tb \x1b[31m \u009b1m \u202e \xff b\u00e4h"),
            "a\tb \\x1b[31m \\xc2\\x9b1m \\xe2\\x80\\xae \\xff b\u00e4h");
  EXPECT_EQ(shown("\x1b[31m \xe2\x80\xae"), R"(\x1b[31m \xe2\x80\xae)");
}

// --- In brief ------------------------------------------------------------------------------------

TEST(BriefLogLine, IsWhatTheApplicationHasWritten) {
  EXPECT_EQ(brief(std::string(kOurs) + R"([client 10.0.0.1:5] a \"b\")"), "a \"b\"");
}

TEST(BriefLogLine, SaysHowBadAnythingElseIs) {
  EXPECT_EQ(brief(std::string(kOurs) + "PH0174: it raised\\nTraceback"),
            "error: PH0174: it raised\nTraceback");
  EXPECT_EQ(brief("[T] [core:warn] [pid 1:tid 1] AH1: x"), "warn: AH1: x");
  EXPECT_EQ(brief("AH00526: Syntax error"), "AH00526: Syntax error");
}

TEST(BriefLogLine, LeavesOutWhatHttpdAlwaysSays) {
  const std::string notice = "[T] [mpm_event:notice] [pid 1:tid 1] AH00489: resuming";
  EXPECT_EQ(brief(notice), "(nothing)");
  EXPECT_EQ(brief(notice, {.notices = true}), "notice: AH00489: resuming");
}

TEST(BriefLogLine, HasColoursForTerminals) {
  EXPECT_EQ(brief("[T] [core:warn] [pid 1:tid 1] x", {.colours = true}), "\x1b[33mwarn:\x1b[0m x");
  EXPECT_EQ(brief(std::string(kOurs) + "PH0174: x", {.colours = true}),
            "\x1b[31merror:\x1b[0m PH0174: x");
  EXPECT_EQ(brief(std::string(kOurs) + "hello", {.colours = true}), "hello");
}

// --- JSON ----------------------------------------------------------------------------------------

TEST(JsonLogLine, IsAnObject) {
  EXPECT_EQ(brief("[T] [wsgi:error] [pid 7:tid 1] [client 10.0.0.1:5] a\\n\\\"b\\\" b\\xc3\\xa4h",
                  {.style = LogStyle::json}),
            R"({"time": "T", "level": "error", "module": "wsgi", "pid": "7", )"
            R"("client": "10.0.0.1:5", "message": "a\n\"b\" b\u00e4h"})");
  EXPECT_EQ(brief("AH00526: Syntax error", {.style = LogStyle::json}),
            R"({"message": "AH00526: Syntax error"})");
}

TEST(JsonRequest, HasEscapesThatJsonKnows) {
  EXPECT_EQ(shown_request(R"({"request": "GET /\xe4\"\\x HTTP/1.1"})", LogStyle::json),
            R"({"request": "GET /\u00e4\"\\x HTTP/1.1"})");
  EXPECT_EQ(shown_request(R"("GET /\xe4")", LogStyle::brief), R"("GET /\xe4")");
}

}  // namespace
}  // namespace pyhost::serve
