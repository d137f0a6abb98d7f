// What WebSockets are held to: times and sizes, with an engine whose limits are short.

#include <gmock/gmock.h>

#include "engine/socket_client.h"
#include "harness/wait.h"

namespace pyhost::test {

gateway::EngineSettings engine_settings() {
  using std::chrono::milliseconds;
  gateway::EngineSettings settings{.server_version = {2, 4, 99}};
  settings.event_loops.web_sockets = {.ping_interval = milliseconds(100),
                                      .ping_timeout = milliseconds(100),
                                      .message_bytes_max = 200'000,
                                      .compression = true,
                                      .connect_timeout = milliseconds(300),
                                      .drain = milliseconds(50)};
  return settings;
}

namespace {

using gateway::Leaving;
using gateway::Outcome;
using ::testing::HasSubstr;

constexpr std::string_view kEchoes = R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await receive()
    await send({'type': 'websocket.accept'})
    while True:
        event = await receive()
        if event['type'] == 'websocket.disconnect':
            print(event['code'])
            break
        await send({'type': 'websocket.send', 'text': event['text'], 'bytes': event['bytes']})
)";

// What comes that is no Ping.
std::string next_but_pings(SocketClient& client) {
  while (true) {
    const std::string one = client.next();
    if (one != "ping") return one;
  }
}

TEST(WebSocketLimits, CancelAnApplicationThatDoesNotAnswerTheHandshake) {
  AsgiScript script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await receive()
    await receive()
)");
  SocketClient client(script);
  EXPECT_EQ(client.next(), "answer 504");
  EXPECT_EQ(client.channel().outcome().failure, gateway::FailureCause::request_timeout);
  EXPECT_THAT(log_of(client.channel()), HasSubstr("websocket-connect-timeout"));
}

TEST(WebSocketLimits, AskAClientThatIsSilentWhetherItIsThere) {
  AsgiScript script(kEchoes);
  SocketClient client(script);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.next(), "ping");
    client.send({.opcode = 10, .payload = "pyhost"});
  }
  EXPECT_EQ(client.channel().counts(), gateway::SocketCounts());
  client.close(1000);
  EXPECT_EQ(next_but_pings(client), "close 1000");
}

TEST(WebSocketLimits, GiveUpAClientThatDoesNotAnswer) {
  AsgiScript script(kEchoes);
  SocketClient client(script);
  EXPECT_EQ(client.next(), "ping");
  EXPECT_EQ(client.next(), "close 1011 no Pong");
  EXPECT_EQ(client.next(), "end");
  client.channel().outcome();
  EXPECT_TRUE(client.channel().ended_at_once());
  EXPECT_EQ(log_of(client.channel()), "1006\n");
}

TEST(WebSocketLimits, HoldNothingAgainstAClientWhileTheLoopIsBlocked) {
  AsgiScript script(R"(
import time
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await receive()
    await send({'type': 'websocket.accept'})
    await receive()
    time.sleep(2.5)
    print('has slept', (await receive())['text'])
)");
  SocketClient client(script);
  EXPECT_EQ(client.next(), "ping");
  client.send("block");
  client.send({.opcode = 10});
  client.send("alive");
  EXPECT_EQ(next_but_pings(client), "close 1000");
  EXPECT_EQ(log_of(client.channel()), "has slept alive\n");
  client.close(1000);
}

TEST(WebSocketLimits, EndAMessageThatIsTooLarge) {
  AsgiScript script(kEchoes);
  SocketClient client(script);
  client.send(binary_frame(std::string(200'000, 'x')));
  EXPECT_EQ(next_but_pings(client), "+bytes 65536");
  for (const char* more : {"+more 65536", "+more 65536", "more 3392"}) {
    EXPECT_EQ(next_but_pings(client), more);
  }
  client.send(binary_frame(std::string(200'001, 'x')));
  EXPECT_EQ(next_but_pings(client), "close 1009 a message is too large");
  EXPECT_EQ(client.next(), "end");
  client.channel().outcome();
  EXPECT_THAT(client.channel().exchange().recorder().text_of(base::Message::socket_fault),
              HasSubstr("too large"));
}

TEST(WebSocketLimits, ReadNoFurtherThanTheApplicationDoes) {
  AsgiScript script(R"(
import asyncio
go = asyncio.Event()
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await receive()
    await send({'type': 'websocket.accept'})
    if scope['path'] == '/go':
        go.set()
        return
    await go.wait()
    bytes = 0
    while bytes < 10 * 60000:
        bytes += len((await receive())['bytes'])
    await send({'type': 'websocket.send', 'text': f'{bytes}'})
)");
  SocketClient client(script);
  client.channel().wait_for_parts(1);
  for (int i = 0; i < 10; ++i) client.send(binary_frame(std::string(60'000, 'x')));
  // Behind what is not read, so it has to wait.
  client.send({.opcode = 9, .payload = "behind"});
  SocketClient other(script, {.environ = {{"PATH_INFO", "/go"}}});
  EXPECT_EQ(next_but_pings(other), "close 1000");
  other.close(1000);
  const std::string first = next_but_pings(client);
  const std::string second = next_but_pings(client);
  EXPECT_THAT((std::vector{first, second}),
              ::testing::UnorderedElementsAre("pong behind", "text 600000"));
  client.close(1000);
}

TEST(WebSocketLimits, CompressWhatIsWorthIt) {
  AsgiScript script(kEchoes);
  SocketClient client(script,
                      {.environ = {{"HTTP_SEC_WEBSOCKET_EXTENSIONS",
                                    "permessage-deflate; client_max_window_bits, x-other"}}});
  client.send("short");
  EXPECT_EQ(next_but_pings(client), "text short");
  client.send(binary_frame(std::string(1000, 'x')));
  EXPECT_THAT(next_but_pings(client), ::testing::MatchesRegex("deflated bytes [0-9][0-9]?"));
  // RFC 7692, 7.2.3.1.
  client.send({.opcode = 1, .payload = std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7), .rsv = 4});
  EXPECT_EQ(next_but_pings(client), "text Hello");
  client.close(1000);
  client.channel().outcome();
  EXPECT_EQ(client.channel().exchange().header("sec-websocket-extensions"), "permessage-deflate");
}

TEST(WebSocketLimits, EndASocketWhoseHttpdChildIsReplaced) {
  AsgiScript script(kEchoes);
  SocketClient client(script);
  client.channel().wait_for_parts(1);
  client.channel().tell_to_leave(Leaving::restart);
  EXPECT_EQ(next_but_pings(client), "close 1012");
  client.send("late");
  client.close(1012);
  EXPECT_EQ(client.next(), "end");
  client.channel().outcome();
  EXPECT_EQ(log_of(client.channel()), "1012\n");
}

// kCloseWait is 5 s.
TEST(WebSocketLimits, DoNotWaitForAClientThatDoesNotClose) {
  AsgiScript script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await receive()
    await send({'type': 'websocket.accept'})
    await send({'type': 'websocket.close'})
)");
  SocketClient client(script);
  EXPECT_EQ(client.rest(), "close 1000, end");
  EXPECT_TRUE(client.channel().ended_at_once());
  EXPECT_EQ(client.channel().outcome().kind, Outcome::Kind::complete);
}

// A loop is drained for good, so this is of an interpreter of its own.
TEST(WebSocketLimits, EndAllSocketsOfAWorkerThatIsReplaced) {
  AsgiScript script(kEchoes, gateway::Protocol::asgi, "drained");
  gateway::ChannelLoop* const loop = *script.place();
  SocketClient one(script);
  SocketClient two(script);
  one.channel().wait_for_parts(1);
  two.channel().wait_for_parts(1);
  loop->drain(Leaving::restart);
  EXPECT_EQ(next_but_pings(one), "close 1012");
  EXPECT_EQ(next_but_pings(two), "close 1012");
  one.close(1012);
  two.close(1012);
  EXPECT_EQ(one.next(), "end");
  EXPECT_EQ(two.next(), "end");
  // One that was on its way.
  SocketClient late(script);
  EXPECT_EQ(next_but_pings(late), "close 1012");
  loop->drain(Leaving::stop);
  SocketClient latest(script);
  EXPECT_EQ(next_but_pings(latest), "close 1001");
  late.hang_up();
  latest.hang_up();
}

}  // namespace
}  // namespace pyhost::test
