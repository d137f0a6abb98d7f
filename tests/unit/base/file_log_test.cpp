#include "base/file_log.h"

#include <gmock/gmock.h>
#include <sys/mman.h>

#include <string>

namespace pyhost::base {
namespace {

std::string text_of(const FileLog& log) {
  std::string text(4096, '\0');
  const ssize_t got = ::pread(log.fd(), text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

TEST(FileLog, WritesOneLinePerRecordAsHttpdDoes) {
  FileLog log(UniqueFd(::memfd_create("log", MFD_CLOEXEC)), {.level = LogLevel::info});
  log.log(LogLevel::warn, Message::worker_draining, "two\nlines\twith \x1b, \u009b and \u00f6");
  EXPECT_THAT(
      text_of(log),
      testing::MatchesRegex("\\[.+\\] \\[wsgi:warn\\] \\[pid [0-9]+:tid [0-9]+\\] "
                            "PH0471: two\\\\nlines\\\\twith \\\\x1b, \\\\xc2\\\\x9b and \u00f6\n"));
}

TEST(FileLog, KeepsRecordsUpToItsThresholdAndWhatIsPrintedUpToAnother) {
  FileLog log(UniqueFd(::memfd_create("log", MFD_CLOEXEC)),
              {.level = LogLevel::warn, .printed = LogLevel::info});
  EXPECT_FALSE(log.wants(LogLevel::info));
  log.log(LogLevel::info, Message::worker_draining, "dropped");
  log.log_application({.level = LogLevel::info, .text = "dropped too"});
  log.log(LogLevel::debug, Message::none, "and this");
  EXPECT_EQ(text_of(log), "");
  log.log(LogLevel::info, Message::none, "kept");
  EXPECT_THAT(text_of(log), testing::EndsWith("] kept\n"));
}

TEST(FileLog, WritesARecordOfPythonsLoggingAsOneLine) {
  FileLog log(UniqueFd(::memfd_create("log", MFD_CLOEXEC)), {.level = LogLevel::info});
  log.log_application({.level = LogLevel::error,
                       .text = "no luck",
                       .traceback = "Traceback:\n  line 1",
                       .logger = "shop"});
  EXPECT_THAT(text_of(log), testing::MatchesRegex("\\[.+\\] \\[wsgi:error\\] \\[pid .*\\] no luck"
                                                  "\\\\nTraceback:\\\\n  line 1\n"));
}

TEST(FileLog, WritesObjectsOfJson) {
  FileLog log(UniqueFd(::memfd_create("log", MFD_CLOEXEC)),
              {.level = LogLevel::info, .form = LogForm::json, .group = "shop"});
  log.log(LogLevel::warn, Message::worker_draining, "first\nsecond \"line\"");
  const std::string text = text_of(log);
  EXPECT_THAT(text,
              testing::MatchesRegex(R"(\{"time": "[^"]+Z", "level": "warn", "id": "PH0471", )"
                                    R"("message": "first", "traceback": "second \\"line\\"", )"
                                    R"("group": "shop", "pid": [0-9]+, "thread": [0-9]+\})"
                                    "\n"));
}

}  // namespace
}  // namespace pyhost::base
