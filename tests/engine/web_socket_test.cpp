// WebSockets of ASGI applications (ASGI 3.0, WebSocket).

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "engine/socket_client.h"
#include "harness/wait.h"

namespace pyhost::test {
namespace {

using gateway::Leaving;
using gateway::Outcome;
using gateway::WebSocketOffer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// --- The handshake -----------------------------------------------------------------------------

TEST(WebSocket, HasTheHandshakeInItsScope) {
  const auto script = socket_script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await accept(receive, send)
    scope['headers'] = [name for name, value in scope['headers']]
    await say(send, sorted(scope.items()))
)");
  SocketClient client(*script, {.environ = {{"REQUEST_URI", "/ws?x=1"},
                                            {"PATH_INFO", "/ws"},
                                            {"QUERY_STRING", "x=1"},
                                            {"HTTP_SEC_WEBSOCKET_PROTOCOL", "chat, , v2 ,"},
                                            {"mod_wsgi.listener_port", "8080"}},
                                .https = true});
  EXPECT_THAT(client.next(), StartsWith("text "));
  EXPECT_THAT(client.channel().wait_for_stream(0),
              HasSubstr("[('asgi', {'version': '3.0', 'spec_version': '2.5'}), "
                        "('client', ('127.0.0.1', 40000)), "
                        "('extensions', {'websocket.http.response': {}, 'pyhost': {}}), "
                        "('headers', [b'host', b'sec-websocket-protocol']), "
                        "('http_version', '1.1'), ('path', '/ws'), ('query_string', b'x=1'), "
                        "('raw_path', b'/ws'), ('root_path', ''), ('scheme', 'wss'), "
                        "('server', ('127.0.0.1', 8080)), ('state', {}), "
                        "('subprotocols', ['chat', 'v2']), ('type', 'websocket')]"));
  client.close(1000);
}

TEST(WebSocket, IsAcceptedWithSubprotocolAndHeaders) {
  const auto script = socket_script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await accept(receive, send, subprotocol='v2', headers=[(b'x-a', b'1'), [b'set-cookie', b'b=2']])
)");
  SocketClient client(*script, {.environ = {{"HTTP_SEC_WEBSOCKET_PROTOCOL", "v1,v2"}}});
  EXPECT_EQ(client.next(), "close 1000");
  client.close(1000);
  EXPECT_EQ(client.next(), "end");
  EXPECT_EQ(client.channel().outcome().kind, Outcome::Kind::complete);
  FakeExchange& exchange = client.channel().exchange();
  EXPECT_EQ(exchange.status(), 101);
  EXPECT_EQ(exchange.content_length(), std::nullopt);
  EXPECT_EQ(exchange.headers(),
            (std::vector<std::pair<std::string, std::string>>{
                {"sec-websocket-protocol", "v2"}, {"x-a", "1"}, {"set-cookie", "b=2"}}));
  EXPECT_EQ(log_of(client.channel()), "");
}

TEST(WebSocket, RefusesAnAcceptThatMayNotBeSent) {
  const auto script = socket_script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    failures = []
    for more in ({'subprotocol': 'other'}, {'subprotocol': b'v1'}, {'headers': [(b'upgrade', b'x')]},
                 {'headers': [(b'Sec-WebSocket-Protocol', b'v1')]}, {'headers': [(b':status', b'1')]},
                 {'headers': [('x', b'1')]}, {'headers': [(b'x', b'1\n')]}):
        failures.append((await failure(send({'type': 'websocket.accept', **more})))[0])
    await accept(receive, send, subprotocol=None, headers=[])
    failures.append((await failure(send({'type': 'websocket.accept'})))[0])
    failures.append((await failure(send({'type': 'websocket.http.response.start', 'status': 200})))[0])
    await say(send, failures)
)");
  SocketClient client(*script, {.environ = {{"HTTP_SEC_WEBSOCKET_PROTOCOL", "v1"}}});
  EXPECT_EQ(client.next(),
            "text ['ValueError', 'TypeError', 'ValueError', 'ValueError', 'ValueError', "
            "'TypeError', 'ValueError', 'RuntimeError', 'RuntimeError']");
  client.close(1000);
}

TEST(WebSocket, IsRefusedWith403ByAClose) {
  const auto script = socket_script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await receive()
    await send({'type': 'websocket.close', 'code': 4000})
    print(await receive(), await receive())
    print(await failure(send({'type': 'websocket.accept'})))
)");
  SocketClient client(*script);
  EXPECT_EQ(client.next(), "answer 403");
  EXPECT_EQ(client.channel().exchange().body(), "");
  EXPECT_THAT(log_of(client.channel()),
              AllOf(HasSubstr("{'type': 'websocket.disconnect', 'code': 1006, 'reason': ''} "
                              "{'type': 'websocket.disconnect', 'code': 1006, 'reason': ''}"),
                    HasSubstr("'RuntimeError'")));
}

TEST(WebSocket, IsRefusedWithAResponseInSeveralParts) {
  const auto script = socket_script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await receive()
    await send({'type': 'websocket.http.response.start', 'status': 401,
                'headers': [(b'www-authenticate', b'Basic')]})
    print(await failure(send({'type': 'websocket.accept'})))
    await send({'type': 'websocket.http.response.body', 'body': b'\xff\x00', 'more_body': True})
    await send({'type': 'websocket.http.response.body', 'body': b'end'})
    print((await receive())['code'])
)");
  SocketClient client(*script);
  EXPECT_EQ(client.next(), "answer 401");
  FakeExchange& exchange = client.channel().exchange();
  EXPECT_EQ(exchange.body(), std::string("\xff\x00"
                                         "end",
                                         5));
  EXPECT_EQ(exchange.header("www-authenticate"), "Basic");
  EXPECT_THAT(log_of(client.channel()), AllOf(HasSubstr("RuntimeError"), HasSubstr("1006")));
}

TEST(WebSocket, IsRefusedByTheServerWhereTheHandshakeIsWrong) {
  const auto script = socket_script(kEchoes);
  SocketClient other_version(*script, {.web_socket = WebSocketOffer::other_version});
  EXPECT_EQ(other_version.next(), "answer 426");
  EXPECT_EQ(other_version.channel().exchange().header("sec-websocket-version"), "13");
  SocketClient malformed(*script, {.web_socket = WebSocketOffer::malformed});
  EXPECT_EQ(malformed.next(), "answer 400");
}

TEST(WebSocket, FailsWhereTheApplicationDoesNotAnswer) {
  struct Row {
    const char* ends;
    const char* logs;
  };
  for (const Row& row : {Row{"return", "without having sent a reply"},
                         Row{"raise ValueError('x')", "ValueError: x"}}) {
    const auto script = socket_script(fmt::format(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await receive()
    {}
)",
                                                  row.ends));
    SocketClient client(*script);
    EXPECT_EQ(client.next(), "answer 500") << row.ends;
    EXPECT_THAT(log_of(client.channel()), HasSubstr(row.logs));
  }
}

TEST(WebSocket, TellsAnApplicationThatItsClientDidNotWait) {
  const auto script = socket_script(R"(
gone = asyncio.Event()
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await receive()
    print('waits')
    print((await receive())['code'])
    await send({'type': 'websocket.accept'})
    print(await failure(send({'type': 'websocket.send', 'text': 'x'})))
)");
  SocketClient client(*script);
  EXPECT_TRUE(wait_until([&] { return log_of(client.channel()) == "waits\n"; }));
  client.channel().leave();
  EXPECT_EQ(client.channel().outcome().kind, Outcome::Kind::complete);
  EXPECT_EQ(log_of(client.channel()),
            "waits\n1006\n['ClientDisconnected', 'OSError', 'the WebSocket is closed']\n");
}

// --- Messages ------------------------------------------------------------------------------------

TEST(WebSocket, EchoesTextAndBytes) {
  const auto script = socket_script(kEchoes);
  SocketClient client(*script);
  client.send("gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(client.next(), "text gr\xc3\xbc\xc3\x9f");
  client.send(binary_frame(std::string("\x00\xff", 2)));
  EXPECT_EQ(client.next(), "bytes 2");
  client.send("");
  EXPECT_EQ(client.next(), "text ");
  client.send(binary_frame(""));
  EXPECT_EQ(client.next(), "bytes 0");
  client.send({.opcode = 1, .payload = "in ", .is_final = false});
  client.send({.opcode = 9, .payload = "between"});
  client.send({.opcode = 0, .payload = "parts"});
  EXPECT_EQ(client.next(), "pong between");
  EXPECT_EQ(client.next(), "text in parts");
  client.close(4321, "done");
  EXPECT_EQ(client.rest(), "close 4321, end");
  EXPECT_EQ(client.channel().counts(),
            (gateway::SocketCounts{.received = 5, .sent = 5, .close_code = 4321}));
  EXPECT_EQ(client.channel().outcome().kind, Outcome::Kind::complete);
  EXPECT_EQ(log_of(client.channel()), "4321 done\n");
}

TEST(WebSocket, GivesWhatHasComeBeforeTheApplicationAsks) {
  const auto script = socket_script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await accept(receive, send)
    await say(send, 'ready')
    while not (await receive())['text'] == 'go':
        pass
    await say(send, [(await receive()).get('text') for i in range(3)])
    await say(send, (await receive())['code'])
)");
  SocketClient client(*script);
  EXPECT_EQ(client.next(), "text 'ready'");
  std::string all;
  for (const char* text : {"go", "1", "2", "3"}) all += bytes_of(text_frame(text));
  client.send_bytes(all);
  EXPECT_EQ(client.next(), "text ['1', '2', '3']");
  client.channel().leave();
}

TEST(WebSocket, SendsLargeMessagesInFragments) {
  const auto script = socket_script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await accept(receive, send)
    await send({'type': 'websocket.send', 'bytes': memoryview(bytearray(65536))})
    await send({'type': 'websocket.send', 'text': 'x' * 140000})
    await send({'type': 'websocket.send', 'text': None, 'bytes': b''})
)");
  SocketClient client(*script);
  EXPECT_EQ(client.next(), "bytes 65536");
  EXPECT_EQ(client.next(), "+text 65536");
  EXPECT_EQ(client.next(), "+more 65536");
  EXPECT_EQ(client.next(), "more 8928");
  EXPECT_EQ(client.next(), "bytes 0");
  client.close(1000);
}

TEST(WebSocket, RefusesMessagesThatMayNotBeSent) {
  const auto script = socket_script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    failures = [(await failure(send({'type': 'websocket.send', 'text': 'x'})))[0]]
    await accept(receive, send)
    for event in ({}, {'text': None}, {'text': 'a', 'bytes': b'b'}, {'text': b'a'}, {'bytes': 'a'},
                  {'text': '\ud800'}):
        failures.append((await failure(send({'type': 'websocket.send', **event})))[0])
    for code in (999, 1005, 1006, 2999, 5000, '1000', 2 ** 80):
        failures.append((await failure(send({'type': 'websocket.close', 'code': code})))[0])
    for event in ({'type': 'http.response.start'}, {}, {'type': 1}, 'x'):
        failures.append((await failure(send(event)))[0])
    await say(send, len(failures))
    for name in failures:
        await say(send, name)
)");
  SocketClient client(*script);
  EXPECT_EQ(client.next(), "text 18");
  for (const char* name :
       {"RuntimeError", "ValueError", "ValueError", "ValueError", "TypeError", "TypeError",
        "UnicodeEncodeError", "ValueError", "ValueError", "ValueError", "ValueError", "ValueError",
        "ValueError", "OverflowError", "ValueError", "ValueError", "ValueError", "TypeError"}) {
    EXPECT_EQ(client.next(), fmt::format("text '{}'", name));
  }
  client.close(1000);
}

TEST(WebSocket, WaitsForAClientThatTakesNothing) {
  const auto script = socket_script(R"(
sent = []
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    if scope['path'] == '/sent':
        await accept(receive, send)
        return await say(send, len(sent))
    await accept(receive, send)
    for i in range(4):
        await send({'type': 'websocket.send', 'text': 'x' * 100000})
        sent.append(i)
)");
  SocketClient slow(*script, {}, false);
  slow.channel().wait_for_parts(1);
  SocketClient other(*script, {.environ = {{"PATH_INFO", "/sent"}}});
  EXPECT_EQ(other.next(), "text 0");
  other.close(1000);
  slow.send({.opcode = 9, .payload = "first"});
  slow.send({.opcode = 9, .payload = "last"});
  slow.channel().take_all();
  std::string rest;
  for (std::string one = slow.next(); one != "close 1000"; one = slow.next()) rest += one + ", ";
  EXPECT_THAT(rest, AllOf(HasSubstr("pong last"), ::testing::Not(HasSubstr("pong first"))));
  slow.close(1000);
}

TEST(WebSocket, SendsMessagesOfSeveralTasksOneAfterTheOther) {
  const auto script = socket_script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await accept(receive, send)
    await asyncio.gather(*(send({'type': 'websocket.send', 'text': f'{i}' * 70000}) for i in range(3)))
)");
  SocketClient client(*script, {}, false);
  client.channel().wait_for_parts(1);
  client.channel().take_all();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.next(), "+text 65536");
    EXPECT_EQ(client.next(), "more 4464");
  }
  client.close(1000);
}

TEST(WebSocket, CompletesAMessageWhoseSenderIsCancelled) {
  const auto script = socket_script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await accept(receive, send)
    sending = asyncio.ensure_future(send({'type': 'websocket.send', 'text': 'x' * 140000}))
    await receive()
    sending.cancel()
    await asyncio.wait([sending])
    print('cancelled', sending.cancelled())
    await send({'type': 'websocket.send', 'text': 'next'})
)");
  SocketClient client(*script, {}, false);
  client.channel().wait_for_parts(1);
  client.channel().take_some();
  client.channel().wait_for_parts(2);
  client.send("cancel");
  EXPECT_TRUE(wait_until([&] { return log_of(client.channel()) == "cancelled True\n"; }));
  client.channel().take_all();
  EXPECT_EQ(client.next(), "+text 65536");
  EXPECT_EQ(client.next(), "+more 65536");
  EXPECT_EQ(client.next(), "more 8928");
  EXPECT_EQ(client.next(), "text next");
  client.close(1000);
}

TEST(WebSocket, LosesNothingWhereAReceiveIsCancelled) {
  const auto script = socket_script(R"(
async def application(scope, receive, send):
    assert scope['type'] == 'websocket'
    await accept(receive, send)
    waiting = asyncio.ensure_future(receive())
    await asyncio.sleep(0)
    waiting.cancel()
    await say(send, 'cancelled')
    await say(send, (await receive())['text'])
)");
  SocketClient client(*script);
  EXPECT_EQ(client.next(), "text 'cancelled'");
  client.send("still");
  EXPECT_EQ(client.next(), "text 'still'");
  client.close(1000);
}

}  // namespace
}  // namespace pyhost::test
