// Blocks of a body that come in quick succession.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>

#include "engine/engine_fixture.h"

namespace pyhost::test {
namespace {

using ::testing::HasSubstr;

TEST(QuickBlocks, LeaveInFewerParts) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    start_response('200 OK', [])
    for i in range(500):
        yield b'%03d' % i
)");
  EXPECT_TRUE(reply.complete());
  std::string all;
  for (int i = 0; i < 500; ++i) all += fmt::format("{:03}", i);
  EXPECT_EQ(reply.body(), all);
  EXPECT_LT(reply.exchange->parts().size(), 500u);
}

TEST(QuickBlocks, AreHeldToTheContentLength) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    start_response('200 OK', [('Content-Length', '25')])
    for i in range(10):
        yield b'0123456789'
)");
  EXPECT_TRUE(reply.complete());
  EXPECT_EQ(reply.body(), "0123456789012345678901234");
  EXPECT_THAT(reply.log(), HasSubstr("more than its Content-Length"));
}

TEST(QuickBlocks, LeaveBeforeAFailureDoes) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    start_response('200 OK', [])
    for block in (b'one ', b'two ', b'three'):
        yield block
    raise KeyError('four')
)");
  EXPECT_EQ(reply.outcome.kind, gateway::Outcome::Kind::broken);
  EXPECT_EQ(reply.body(), "one two three");
}

}  // namespace
}  // namespace pyhost::test
