// A worker's threads while there is no memory for what they do.

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>

#include "base/file_log.h"
#include "daemon/group_fixture.h"
#include "harness/scarce_memory.h"

namespace pyhost::test {
namespace {

using gateway::Outcome;

// Answers with the same at any time, and needs no memory for that.
Outcome answer(const gateway::Target&, gateway::Exchange& exchange) {
  static const gateway::ResponseHead head{.status = 200, .reason = "OK"};
  static constexpr std::string_view kBlock = "a block that is no short string any more";
  std::array<char, 4096> piece;
  while (exchange.read_body(piece).bytes != 0) {
  }
  exchange.log(base::LogLevel::error, base::Message::none, "a line of the application");
  if (exchange.send({.head = &head, .blocks = {&kBlock, 1}}) != gateway::SendResult::sent) {
    return {Outcome::Kind::complete};
  }
  exchange.send({.then = gateway::ReplyPart::Then::end});
  return {Outcome::Kind::complete};
}

TEST(LogRecord, IsCutShortWithoutMemory) {
  const base::UniqueFd file(::memfd_create("log", MFD_CLOEXEC));
  base::FileLog log(base::UniqueFd(::dup(file.get())), {.level = base::LogLevel::warn});
  const std::string text = "has\x1b[2J no memory " + std::string(1000, 'x');
  {
    const ScarceMemory scarce(0);
    log.log(base::LogLevel::error, base::Message::memory_exhausted, text);
  }
  std::array<char, 1024> written{};
  const ssize_t bytes = ::pread(file.get(), written.data(), written.size(), 0);
  ASSERT_GT(bytes, 0);
  const std::string line(written.data(), static_cast<std::size_t>(bytes));
  EXPECT_THAT(line, testing::StartsWith("["));
  EXPECT_THAT(line, testing::HasSubstr("] PH0314: has?[2J no memory xxx"));
  EXPECT_THAT(line, testing::EndsWith("x\n"));
}

using MemoryOfAWorker = GroupTest;

TEST_F(MemoryOfAWorker, ThatIsMissingFailsTheRequestAndNothingElse) {
  applications_.add("/apps/answer", answer);
  start_worker(0, 2);
  {
    FakeExchange connects;
    EXPECT_EQ(run("/apps/answer", connects).kind, Outcome::Kind::complete);
  }
  for (long allowed = 0; allowed < 40; ++allowed) {
    {
      FakeExchange exchange({.body = std::string(10'000, 'x')});
      Outcome outcome;
      {
        const ScarceMemory scarce(allowed, "wsgi-");
        outcome = run("/apps/answer", exchange);
      }
      const bool answered = outcome.kind == Outcome::Kind::complete && exchange.status() == 200;
      const bool refused = outcome.kind == Outcome::Kind::refused && outcome.status >= 500;
      EXPECT_TRUE(answered || refused || outcome.kind == Outcome::Kind::broken) << allowed;
    }
    FakeExchange exchange;
    EXPECT_EQ(run("/apps/answer", exchange).kind, Outcome::Kind::complete) << allowed;
    EXPECT_EQ(exchange.status(), 200) << allowed;
  }
  EXPECT_TRUE(wait_until([this] { return pool(0).requests_active() == 0; }));
}

}  // namespace
}  // namespace pyhost::test
