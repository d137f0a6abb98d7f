// Memory that runs out inside our own code.

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>

#include "engine/engine_fixture.h"
#include "harness/scarce_memory.h"

namespace pyhost::test {

gateway::EngineSettings engine_settings() {
  return {};
}

namespace {

using gateway::Outcome;

// An exchange that needs no memory.
class FrugalExchange final : public gateway::Exchange {
 public:
  const gateway::RequestHead& head() const noexcept override { return head_; }
  gateway::BodyRead read_body(std::span<char>) noexcept override { return {}; }
  gateway::SendResult send(const gateway::ReplyPart& part) noexcept override {
    ended_ = part.then == gateway::ReplyPart::Then::end;
    return gateway::SendResult::sent;
  }
  void send_early_hints(std::span<const gateway::Header>) noexcept override {}
  bool client_gone() noexcept override { return false; }
  bool wants(base::LogLevel) const noexcept override { return true; }
  void log(base::LogLevel level, base::Message, std::string_view) noexcept override {
    failures_ += level <= base::LogLevel::error ? 1 : 0;
  }

  bool ended() const noexcept { return ended_; }
  int failures() const noexcept { return failures_; }

 private:
  gateway::RequestHead head_;
  bool ended_ = false;
  std::atomic<int> failures_ = 0;
};

// Whether the request was served although only so many allocations were to be had.
bool is_served_with(long allocations, const gateway::Target& target) {
  FrugalExchange exchange;
  Outcome outcome;
  {
    const ScarceMemory scarce(allocations);
    outcome = engine().run(target, exchange);
  }
  if (outcome.kind == Outcome::Kind::complete) {
    EXPECT_TRUE(exchange.ended());
    return true;
  }
  EXPECT_GE(exchange.failures(), 1) << allocations;
  if (outcome.kind == Outcome::Kind::refused) {
    EXPECT_THAT(outcome.status, testing::AnyOf(500, 503)) << allocations;
  }
  return false;
}

// Lets one allocation after the other fail, each in a request of its own.
void expect_to_survive(const gateway::Target& target) {
  constexpr long kEnough = 2000;
  long allocations = 0;
  while (allocations < kEnough && !is_served_with(allocations, target)) ++allocations;
  EXPECT_GT(allocations, 0);
  EXPECT_LT(allocations, kEnough);
}

constexpr char kList[] = R"(
def application(environ, start_response):
    print('a line', file=environ['wsgi.errors'])
    start_response('200 OK', [('X-Long', 'x' * 100), ('Content-Type', 'text/plain')])
    return [b'a', b'b' * 100]
)";

constexpr char kGenerator[] = R"(
closed = 0
class Blocks:
    def __iter__(self):
        yield b'a' * 100
        yield b'b'
    def close(self):
        global closed
        closed += 1
def application(environ, start_response):
    start_response('200 OK', [('X-Long', 'x' * 100)])
    return Blocks()
)";

TEST(Memory, ThatIsMissingFailsTheRequestOnly) {
  for (const char* source : {kList, kGenerator}) {
    const Script script(source);
    ASSERT_TRUE(run(script).complete());
    expect_to_survive({.script = script.path()});
    EXPECT_TRUE(run(script).complete());
  }
}

TEST(Memory, ThatIsMissingForAnImportLeavesNobodyWaiting) {
  const Script script(kList);
  for (long allocations = 0; allocations < 60; ++allocations) {
    // A script of its own each time, or the failure would be remembered.
    const std::string path = script.folder() / (std::to_string(allocations) + ".wsgi");
    std::filesystem::copy(script.path(), path);
    const gateway::Target target{.script = path};
    is_served_with(allocations, target);
    FrugalExchange exchange;
    static_cast<void>(engine().run(target, exchange));
  }
  EXPECT_TRUE(run(script).complete());
}

TEST(Memory, ThatIsMissingForAnInterpreterLeavesTheOthers) {
  const Script script(kList);
  for (long allocations = 0; allocations < 40; ++allocations) {
    const std::string group = "group " + std::to_string(allocations % 4);
    is_served_with(allocations, {.application_group = group, .script = script.path()});
  }
  EXPECT_TRUE(run(script).complete());
  EXPECT_TRUE(run(script, {}, "group 0").complete());
}

}  // namespace
}  // namespace pyhost::test
