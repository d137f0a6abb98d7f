// How WebSockets of ASGI applications end, and what is kept apart.

#include <gmock/gmock.h>

#include "engine/socket_client.h"
#include "harness/wait.h"

namespace pyhost::test {
namespace {

using gateway::Leaving;
using gateway::Outcome;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// --- The end -------------------------------------------------------------------------------------

TEST(WebSocket, IsClosedByItsClient) {
  struct Row {
    std::string sent;
    const char* answer;
    const char* told;
  };
  const Row rows[] = {
      {bytes_of(close_frame_of(1000)), "close 1000, end", "1000 \n"},
      {bytes_of(close_frame_of(4999, "w\xc3\xa4r")), "close 4999, end", "4999 w\xc3\xa4r\n"},
      {bytes_of({.opcode = 8}), "close, end", "1005 \n"},
      {bytes_of({.opcode = 1, .payload = "\xff"}), "close 1007 a text is no UTF-8, end",
       "1007 a text is no UTF-8\n"},
      {bytes_of({.opcode = 3}), "close 1002 a frame has a reserved opcode, end",
       "1002 a frame has a reserved opcode\n"},
      {bytes_of({.opcode = 1, .is_masked = false}), "close 1002 a frame is not masked, end",
       "1002 a frame is not masked\n"},
  };
  for (const Row& row : rows) {
    const auto script = socket_script(kEchoes);
    SocketClient client(*script);
    client.channel().wait_for_parts(1);
    client.send_bytes(row.sent);
    EXPECT_EQ(client.rest(), row.answer);
    client.channel().outcome();
    EXPECT_EQ(log_of(client.channel()), row.told);
  }
}

TEST(WebSocket, IsLostWithoutAClose) {
  const auto script = socket_script(kEchoes);
  SocketClient hung_up(*script);
  hung_up.channel().wait_for_parts(1);
  hung_up.hang_up();
  EXPECT_EQ(hung_up.rest(), "end");
  hung_up.channel().outcome();
  EXPECT_EQ(log_of(hung_up.channel()), "1006 \n");
  SocketClient reset(*script);
  reset.channel().wait_for_parts(1);
  reset.channel().leave();
  EXPECT_EQ(reset.channel().outcome().kind, Outcome::Kind::complete);
  EXPECT_EQ(log_of(reset.channel()), "1006 \n");
}

TEST(WebSocket, IsClosedByTheApplication) {
  const auto script = socket_script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await accept(receive, send)
    await receive()
    await send({'type': 'websocket.close', 'code': 4001, 'reason': '\u20ac' * 50})
    print(await failure(send({'type': 'websocket.send', 'text': 'x'})))
    print(await failure(send({'type': 'websocket.close'})))
    event = await receive()
    print(event['code'], len(event['reason']))
)");
  SocketClient client(*script);
  client.send_bytes(bytes_of(text_frame("a")) + bytes_of(text_frame("dropped")));
  EXPECT_THAT(client.next(), AllOf(StartsWith("close 4001 "), ::testing::SizeIs(11 + 123)));
  client.send("dropped, too");
  client.close(4001);
  EXPECT_EQ(client.next(), "end");
  client.channel().outcome();
  EXPECT_EQ(log_of(client.channel()),
            "['ClientDisconnected', 'OSError', 'the WebSocket is closed']\n"
            "['ClientDisconnected', 'OSError', 'the WebSocket is closed']\n4001 50\n");
}

TEST(WebSocket, IsClosedWith1000WhereTheApplicationReturns) {
  const auto script = socket_script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await accept(receive, send)
)");
  SocketClient client(*script);
  EXPECT_EQ(client.next(), "close 1000");
  client.hang_up();
  EXPECT_EQ(client.next(), "end");
  EXPECT_EQ(client.channel().outcome().kind, Outcome::Kind::complete);
  EXPECT_EQ(log_of(client.channel()), "");
}

TEST(WebSocket, IsClosedWith1011WhereTheApplicationRaises) {
  const auto script = socket_script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await accept(receive, send)
    raise ValueError('broken')
)");
  SocketClient client(*script);
  EXPECT_EQ(client.next(), "close 1011");
  client.close(1011);
  EXPECT_EQ(client.next(), "end");
  EXPECT_EQ(client.channel().outcome().kind, Outcome::Kind::complete);
  EXPECT_THAT(log_of(client.channel()), HasSubstr("ValueError: broken"));
}

TEST(WebSocket, SaysNothingOfASendToAClientThatHasLeft) {
  const auto script = socket_script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await accept(receive, send)
    while True:
        await send({'type': 'websocket.send', 'text': 'x'})
        await asyncio.sleep(0)
)");
  SocketClient client(*script);
  client.channel().wait_for_parts(2);
  client.close(1001);
  EXPECT_EQ(client.channel().outcome().kind, Outcome::Kind::complete);
  EXPECT_EQ(log_of(client.channel()), "");
}

TEST(WebSocket, LetsTheApplicationGoOnBehindItsEnd) {
  const auto script = socket_script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await accept(receive, send)
    await receive()
    for i in range(10):
        await asyncio.sleep(0)
    print('has gone on')
)");
  SocketClient client(*script);
  client.channel().wait_for_parts(1);
  client.close(1000);
  EXPECT_EQ(client.rest(), "close 1000, end");
  client.channel().outcome();
  EXPECT_EQ(log_of(client.channel()), "has gone on\n");
}

TEST(WebSocket, LeavesWhereItsHttpdEnds) {
  const auto script = socket_script(kEchoes);
  SocketClient client(*script);
  client.channel().wait_for_parts(1);
  client.channel().tell_to_leave(Leaving::stop);
  EXPECT_EQ(client.next(), "close 1001");
  client.close(1001);
  EXPECT_EQ(client.next(), "end");
  client.channel().outcome();
  EXPECT_EQ(log_of(client.channel()), "1001 \n");
}

// --- What is kept apart
// ----------------------------------------------------------------------------

TEST(WebSocket, HasAContextOfItsOwn) {
  const auto script = socket_script(R"(
import contextvars
seen = contextvars.ContextVar('seen', default='nothing')
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await accept(receive, send)
    before = seen.get()
    seen.set(scope['path'])
    text = (await receive())['text']
    await say(send, (before, seen.get(), text))
)");
  SocketClient one(*script, {.environ = {{"PATH_INFO", "/one"}}});
  one.channel().wait_for_parts(1);
  SocketClient two(*script, {.environ = {{"PATH_INFO", "/two"}}});
  two.channel().wait_for_parts(1);
  one.send("1");
  two.send("2");
  EXPECT_EQ(one.next(), "text ('nothing', '/one', '1')");
  EXPECT_EQ(two.next(), "text ('nothing', '/two', '2')");
  one.close(1000);
  two.close(1000);
}

TEST(WebSocket, HasItsOutputInItsOwnLog) {
  const auto script = socket_script(kEchoes);
  SocketClient one(*script);
  SocketClient two(*script);
  one.channel().wait_for_parts(1);
  two.channel().wait_for_parts(1);
  one.close(4001);
  two.close(4002);
  one.channel().outcome();
  two.channel().outcome();
  EXPECT_EQ(log_of(one.channel()), "4001 \n");
  EXPECT_EQ(log_of(two.channel()), "4002 \n");
}

}  // namespace
}  // namespace pyhost::test
