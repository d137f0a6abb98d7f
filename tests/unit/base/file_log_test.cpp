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
  FileLog log(UniqueFd(::memfd_create("log", MFD_CLOEXEC)), LogLevel::info);
  log.log(LogLevel::warn, Message::worker_draining, "two\nlines\twith \x1b, \u009b and \u00f6");
  EXPECT_THAT(
      text_of(log),
      testing::MatchesRegex("\\[.+\\] \\[wsgi:warn\\] \\[pid [0-9]+:tid [0-9]+\\] "
                            "PH0471: two\\\\nlines\\\\twith \\\\x1b, \\\\xc2\\\\x9b and \u00f6\n"));
}

TEST(FileLog, KeepsRecordsUpToItsThreshold) {
  FileLog log(UniqueFd(::memfd_create("log", MFD_CLOEXEC)), LogLevel::warn);
  EXPECT_FALSE(log.wants(LogLevel::info));
  log.log(LogLevel::info, Message::none, "dropped");
  EXPECT_EQ(text_of(log), "");
  log.set_threshold(LogLevel::info);
  log.log(LogLevel::info, Message::none, "kept");
  EXPECT_THAT(text_of(log), testing::EndsWith("] kept\n"));
}

}  // namespace
}  // namespace pyhost::base
