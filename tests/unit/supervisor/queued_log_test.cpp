#include "supervisor/queued_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <array>

#include "harness/temp_dir.h"

namespace pyhost::supervisor {
namespace {

using base::LogLevel;
using base::Message;
using testing::HasSubstr;
using testing::Not;

// A log that is a pipe, as `ErrorLog "|program"` makes it.
class PipedLog : public testing::Test {
 protected:
  PipedLog() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader_.reset(ends[0]);
    writer_.reset(ends[1]);
    fcntl(reader_.get(), F_SETFL, O_NONBLOCK);
    log_.emplace(loop_, base::UniqueFd(fcntl(ends[1], F_DUPFD_CLOEXEC, 3)),
                 base::LogRules{.level = LogLevel::info});
  }

  void say(const std::string& text) { log_->log(LogLevel::error, Message::none, text); }
  // Reads all that comes while the log has its turns.
  std::string read_all() {
    std::string text;
    std::array<char, 65'536> buffer;
    for (int idle = 0; idle < 3; ++idle) {
      loop_.wait(base::Clock::now());
      for (ssize_t got; (got = read(reader_.get(), buffer.data(), buffer.size())) > 0; idle = 0) {
        text.append(buffer.data(), got);
      }
    }
    return text;
  }

  os::EventLoop loop_ = *os::EventLoop::create();
  base::UniqueFd reader_;
  base::UniqueFd writer_;
  std::optional<QueuedLog> log_;
};

TEST_F(PipedLog, HasEachRecordAtOnce) {
  say("one");
  EXPECT_THAT(read_all(), HasSubstr("] one\n"));
  log_->log(LogLevel::debug, Message::none, "two");
  EXPECT_EQ(read_all(), "");
}

TEST_F(PipedLog, KeepsRecordsUntilSomebodyReads) {
  constexpr int kRecords = 1'000;
  for (int i = 0; i < kRecords; ++i) say("record " + std::to_string(i) + std::string(100, '.'));
  const std::string text = read_all();
  for (int i = 0; i < kRecords; ++i) {
    EXPECT_THAT(text, HasSubstr("record " + std::to_string(i) + ".")) << i;
  }
  EXPECT_THAT(text, Not(HasSubstr("PH0419")));
}

TEST_F(PipedLog, SaysHowManyRecordsWereLost) {
  const std::string long_record(1'000, '.');
  constexpr int kRecords = 1'000;
  for (int i = 0; i < kRecords; ++i) say(long_record);
  const std::string text = read_all();
  EXPECT_THAT(text, HasSubstr("PH0419: "));
  EXPECT_THAT(text, HasSubstr("records of pyhost-supervisor were lost"));
  say("afterwards");
  EXPECT_THAT(read_all(), HasSubstr("afterwards"));
}

TEST_F(PipedLog, StaysBlockingForEverybodyElse) {
  for (int i = 0; i < 2'000; ++i) say("noise");
  EXPECT_EQ(fcntl(log_->fd(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(fcntl(writer_.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(PipedLog, KeepsALongRecordWhole) {
  const std::string record = std::string(200'000, 'x') + "end";
  say(record);
  EXPECT_THAT(read_all(), HasSubstr(record));
}

TEST_F(PipedLog, GoesOnInTheFileThatIsOpenedAnew) {
  const test::TempDir folder;
  const std::string path = folder.write("log", "");
  for (int i = 0; i < 2'000; ++i) say("noise " + std::string(100, '.'));
  log_->reopen(base::UniqueFd(open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)));
  say("afterwards");
  EXPECT_THAT(test::read_file(path), HasSubstr("afterwards"));
  EXPECT_THAT(test::read_file(path), HasSubstr("noise"));
}

TEST_F(PipedLog, DoesNotMindThatNobodyIsThere) {
  signal(SIGPIPE, SIG_IGN);
  reader_.reset();
  for (int i = 0; i < 2'000; ++i) say("noise");
  signal(SIGPIPE, SIG_DFL);
}

}  // namespace
}  // namespace pyhost::supervisor
