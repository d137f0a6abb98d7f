// The start and the end of ASGI applications (ASGI Lifespan).

#include <gmock/gmock.h>

#include "engine/asgi_fixture.h"

namespace pyhost::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Lifespan, StartsBeforeTheFirstRequestAndSharesItsState) {
  AsgiScript script(R"(
async def application(scope, receive, send):
    if scope['type'] == 'lifespan':
        assert scope['asgi'] == {'version': '3.0', 'spec_version': '2.0'}
        assert (await receive())['type'] == 'lifespan.startup'
        scope['state']['pool'] = ['connection']
        await send({'type': 'lifespan.startup.complete'})
        await receive()
        await send({'type': 'lifespan.shutdown.complete'})
        return
    state = scope['state']
    state['own'] = 1
    await send({'type': 'http.response.start', 'status': 200})
    await send({'type': 'http.response.body', 'body': repr(state).encode()})
)");
  for (int i = 0; i < 2; ++i) {
    const auto channel = script.request();
    channel->outcome();
    EXPECT_EQ(channel->exchange().body(), "{'pool': ['connection'], 'own': 1}");
  }
}

TEST(Lifespan, ThatIsUnknownToTheApplicationIsDoneWithout) {
  AsgiScript script(R"(
async def application(scope, receive, send):
    if scope['type'] != 'http':
        raise ValueError('only http')
    await send({'type': 'http.response.start', 'status': 200})
    await send({'type': 'http.response.body', 'body': repr(scope['state']).encode()})
)");
  const auto channel = script.request();
  channel->outcome();
  EXPECT_EQ(channel->exchange().body(), "{}");
  EXPECT_THAT(server_log().text_of(base::Message::lifespan_unsupported),
              AllOf(HasSubstr(script.script().path()), HasSubstr("ValueError: only http")));
}

TEST(Lifespan, ThatFailsKeepsTheApplicationFromServing) {
  AsgiScript script(R"(
async def application(scope, receive, send):
    await receive()
    await send({'type': 'lifespan.startup.failed', 'message': 'no database'})
)");
  for (int i = 0; i < 2; ++i) {
    const PlaceResult placed = script.place();
    ASSERT_FALSE(placed);
    EXPECT_TRUE(placed.error().import_failed);
    EXPECT_THAT(placed.error().why,
                AllOf(HasSubstr(script.script().path()), HasSubstr("no database")));
  }
  EXPECT_THAT(server_log().text_of(base::Message::lifespan_failed), HasSubstr("no database"));
}

TEST(Lifespan, IsAPartOfPreparation) {
  AsgiScript good("async def application(scope, receive, send): raise ValueError");
  LogRecorder log;
  EXPECT_TRUE(engine().prepare(good.target(), log));
  AsgiScript bad(R"(
async def application(scope, receive, send):
    await receive()
    await send({'type': 'lifespan.startup.failed', 'message': 'not today'})
)");
  const auto prepared = engine().prepare(bad.target(), log);
  ASSERT_FALSE(prepared);
  EXPECT_THAT(prepared.error().sentence, HasSubstr("not today"));
}

TEST(Lifespan, ThatIsLostIsSaid) {
  AsgiScript script(R"(
import asyncio
async def application(scope, receive, send):
    if scope['type'] == 'lifespan':
        await receive()
        await send({'type': 'lifespan.startup.complete'})
        raise RuntimeError('lost')
    await send({'type': 'http.response.start', 'status': 200})
    await send({'type': 'http.response.body', 'body': b'served'})
)");
  const auto channel = script.request();
  channel->outcome();
  EXPECT_EQ(channel->exchange().body(), "served");
  EXPECT_THAT(server_log().text_of(base::Message::lifespan_lost),
              AllOf(HasSubstr("RuntimeError: lost"), HasSubstr("Traceback")));
}

TEST(Lifespan, RefusesEventsThatAreNone) {
  AsgiScript script(R"(
errors = []
async def application(scope, receive, send):
    if scope['type'] == 'lifespan':
        await receive()
        for event in ({'type': 'lifespan.start'}, {'type': 'lifespan.shutdown.complete'}, {}):
            try:
                await send(event)
            except (ValueError, RuntimeError) as error:
                errors.append(type(error).__name__)
        await send({'type': 'lifespan.startup.complete'})
        await receive()
        return
    await send({'type': 'http.response.start', 'status': 200})
    await send({'type': 'http.response.body', 'body': repr(errors).encode()})
)");
  const auto channel = script.request();
  channel->outcome();
  EXPECT_EQ(channel->exchange().body(), "['ValueError', 'RuntimeError', 'ValueError']");
}

}  // namespace
}  // namespace pyhost::test
