#include "base/json_record.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/log_level.h"

namespace pyhost::base {
namespace {

using Json = nlohmann::json;

TEST(JsonRecord, HasWhatIsKnownAndNothingElse) {
  EXPECT_EQ(to_json_line({.time_us = 1'796'066'400'000'042, .text = "said"}),
            R"({"time": "2026-11-30T19:20:00.000042Z", "level": "error", "message": "said"})"
            "\n");
  const std::string whole = to_json_line({.level = LogLevel::info,
                                          .message = Message::worker_draining,
                                          .logger = "shop.orders",
                                          .text = "text",
                                          .traceback = "lines",
                                          .file = "/srv/shop.py",
                                          .line = 7,
                                          .request_id = "r",
                                          .trace_id = "t",
                                          .method = "GET",
                                          .url = "/cart",
                                          .client = "192.0.2.1",
                                          .group = "shop",
                                          .pid = 11,
                                          .thread = 12});
  const Json parsed = Json::parse(whole);
  EXPECT_EQ(parsed.size(), 16u);
  EXPECT_EQ(parsed["id"], "PH0471");
  EXPECT_EQ(parsed["logger"], "shop.orders");
  EXPECT_EQ(parsed["line"], 7);
  EXPECT_EQ(parsed["thread"], 12);
}

TEST(JsonRecord, IsOneLineOfJsonWhateverBytesItHas) {
  std::string text;
  for (int byte = 0; byte < 256; ++byte) text += static_cast<char>(byte);
  text += "\xc2\x9b \xe2\x80\xa8 \\ \" \xf0\x9f\x98\x80";
  const std::string line = to_json_line({.text = text, .url = text, .group = text});
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const Json parsed = Json::parse(line);
  EXPECT_THAT(parsed["message"].get<std::string>(), testing::HasSubstr("\xf0\x9f\x98\x80"));
  // Nothing that a terminal would obey.
  EXPECT_THAT(line, testing::AllOf(testing::Not(testing::HasSubstr("\xc2\x9b")),
                                   testing::Not(testing::HasSubstr("\xe2\x80\xa8")),
                                   testing::Not(testing::HasSubstr("\x7f"))));
  EXPECT_EQ(parsed["message"].get<std::string>()[0], '\0');
}

TEST(JsonRecord, HasTheLinesBehindTheFirstAsATraceback) {
  const JsonRecord split =
      split_traceback({.message = Message::worker_draining, .text = "first\nsecond\nthird"});
  EXPECT_EQ(split.text, "first");
  EXPECT_EQ(split.traceback, "second\nthird");
  // What an application prints is nobody's traceback.
  EXPECT_EQ(split_traceback({.text = "first\nsecond"}).text, "first\nsecond");
}

TEST(LogLevel, HasTheNamesOfHttpd) {
  EXPECT_EQ(parse_log_level("emerg"), LogLevel::emerg);
  EXPECT_EQ(parse_log_level("warn"), LogLevel::warn);
  EXPECT_EQ(parse_log_level("trace1"), LogLevel::trace);
  EXPECT_EQ(parse_log_level("trace8"), LogLevel::trace);
  for (const auto* name : {"", "trace", "trace0", "trace9", "warning", "WARN"}) {
    EXPECT_FALSE(parse_log_level(name)) << name;
  }
}

}  // namespace
}  // namespace pyhost::base
