// How far the body of a response is iterated.

#include <gmock/gmock.h>

#include <thread>

#include "engine/engine_fixture.h"
#include "harness/wait.h"

namespace pyhost::test {
namespace {

// Who asks for an endless body with HEAD, or sends more than it has announced, is not to lose a
// thread.
TEST(Iteration, IsNotForNobody) {
  const Script script(R"(
def application(environ, start_response):
    length = environ.get('HTTP_X_LENGTH')
    status = environ.get('HTTP_X_STATUS', '200 OK')
    start_response(status, [('Content-Length', length)] if length else [])
    while True:
        yield b'block'
)");
  EXPECT_TRUE(run(script, {.is_head = true}).complete());
  EXPECT_TRUE(run(script, {.environ = {{"HTTP_X_STATUS", "304 Not Modified"}}}).complete());
  const Reply cut = run(script, {.environ = {{"HTTP_X_LENGTH", "7"}}});
  EXPECT_TRUE(cut.complete());
  EXPECT_EQ(cut.body(), "blockbl");
}

TEST(Iteration, OfEmptyBlocksEndsWhenTheClientLeaves) {
  const Script script(R"(
def application(environ, start_response):
    start_response('200 OK', [])
    yield b'first'
    while True:
        yield b''
)");
  FakeExchange exchange({.client_gone_after_parts = 1});
  std::thread client([&] {
    EXPECT_TRUE(wait_until([&] { return exchange.parts_sent() == 1; }));
    exchange.leave();
  });
  EXPECT_EQ(engine().run({.script = script.path()}, exchange).kind,
            gateway::Outcome::Kind::complete);
  client.join();
}

}  // namespace
}  // namespace pyhost::test
