// Exchanges of ASGI applications that are cancelled from outside.

#include <gmock/gmock.h>

#include "engine/asgi_fixture.h"
#include "harness/wait.h"

namespace pyhost::test {
namespace {

using gateway::Outcome;
using ::testing::AllOf;
using ::testing::HasSubstr;

// A request that is interrupted when the application has printed a line.
std::unique_ptr<FakeChannel> interrupted(AsgiScript& script) {
  auto channel = script.request();
  EXPECT_TRUE(wait_until([&] { return log_of(*channel) == "waits\n"; }));
  engine().watch()->interrupt(*channel, base::Clock::now());
  channel->outcome();
  return channel;
}

TEST(AsgiCancel, EndsWith504) {
  AsgiScript script(with_reply(R"(
import asyncio
async def application(scope, receive, send):
    assert scope['type'] == 'http'
    await receive()
    print('waits')
    await asyncio.sleep(1000)
)"));
  const auto channel = interrupted(script);
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::refused);
  EXPECT_EQ(channel->outcome().status, 504);
  EXPECT_EQ(channel->outcome().failure, gateway::FailureCause::request_timeout);
  EXPECT_NE(channel->exchange().recorder().text_of(base::Message::run_interrupted), "");
}

TEST(AsgiCancel, LetsAnApplicationSendAReplyAllTheSame) {
  AsgiScript script(with_reply(R"(
import asyncio
async def application(scope, receive, send):
    assert scope['type'] == 'http'
    print('waits')
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        await reply(send, b'late', 503)
)"));
  const auto channel = interrupted(script);
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::complete);
  EXPECT_EQ(channel->exchange().body(), "late");
}

TEST(AsgiCancel, LogsAnExceptionThatComesOfIt) {
  AsgiScript script(with_reply(R"(
import asyncio
async def application(scope, receive, send):
    assert scope['type'] == 'http'
    print('waits')
    try:
        await asyncio.sleep(1000)
    finally:
        raise ValueError('in cleaning up')
)"));
  const auto channel = interrupted(script);
  EXPECT_EQ(channel->outcome().status, 504);
  EXPECT_THAT(channel->exchange().recorder().text_of(base::Message::application_raised),
              AllOf(HasSubstr("ValueError: in cleaning up"), HasSubstr("Traceback")));
}

TEST(AsgiCancel, LeavesARequestAloneThatBeganLater) {
  AsgiScript script(with_reply(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'http'
    print('waits')
    await receive()
    await reply(send, (await receive())['type'].encode())
)"));
  const base::TimePoint before = base::Clock::now();
  const auto channel = script.request();
  ASSERT_TRUE(wait_until([&] { return log_of(*channel) == "waits\n"; }));
  engine().watch()->interrupt(*channel, before);
  channel->leave();
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::complete);
  EXPECT_EQ(channel->exchange().recorder().text_of(base::Message::run_interrupted), "");
}

}  // namespace
}  // namespace pyhost::test
