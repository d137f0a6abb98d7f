// Exchanges of ASGI applications (ASGI 3.0, HTTP).

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "engine/asgi_fixture.h"
#include "harness/wait.h"

namespace pyhost::test {
namespace {

using gateway::Outcome;
using gateway::Protocol;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Then = gateway::ReplyPart::Then;

TEST(Asgi, RepliesWithHeadBodyAndEndInOnePart) {
  const auto channel = run_asgi(R"(
async def application(scope, receive, send):
    await reply(send, b'hello', 201, [(b'x-a', b'1'), [b'x-a', bytearray(b'2')]])
)");
  FakeExchange& exchange = channel->exchange();
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::complete);
  EXPECT_EQ(exchange.status(), 201);
  EXPECT_EQ(exchange.headers(),
            (std::vector<std::pair<std::string, std::string>>{{"x-a", "1"}, {"x-a", "2"}}));
  EXPECT_EQ(exchange.body(), "hello");
  ASSERT_EQ(exchange.parts().size(), 1u);
  EXPECT_EQ(exchange.parts()[0].then, Then::end);
  EXPECT_EQ(log_of(*channel), "");
}

TEST(Asgi, HasTheRequestInItsScope) {
  const auto channel = run_asgi(R"(
async def application(scope, receive, send):
    await reply(send, repr(sorted(scope.items())).encode())
)",
                                {.environ = {{"SCRIPT_NAME", "/m\xc3\xb6nt"},
                                             {"PATH_INFO", "/a b\xff"},
                                             {"QUERY_STRING", "x=%20"},
                                             {"REQUEST_URI", "/m%C3%B6nt/a%20b%FF?x=%20"},
                                             {"CONTENT_TYPE", "text/plain"},
                                             {"HTTP_X_ONE_TWO", "3"},
                                             {"mod_wsgi.request_id", "id-1"},
                                             {"mod_wsgi.listener_port", "8080"}},
                                 .https = true});
  EXPECT_EQ(channel->exchange().body(),
            "[('asgi', {'version': '3.0', 'spec_version': '2.3'}), "
            "('client', ('127.0.0.1', 40000)), ('extensions', {'http.response.pathsend': {}, "
            "'http.response.zerocopysend': {}, 'pyhost': {'request_id': 'id-1'}}), "
            "('headers', [(b'host', b'localhost'), (b'content-type', b'text/plain'), "
            "(b'x-one-two', b'3')]), "
            "('http_version', '1.1'), ('method', 'GET'), "
            "('path', '/m\xc3\xb6nt/a b\xef\xbf\xbd'), ('query_string', b'x=%20'), "
            "('raw_path', b'/m%C3%B6nt/a%20b%FF'), ('root_path', '/m\xc3\xb6nt'), "
            "('scheme', 'https'), ('server', ('127.0.0.1', 8080)), ('state', {}), "
            "('type', 'http')]");
}

TEST(Asgi, HasAScopeOfItsOwnForEachRequest) {
  AsgiScript script(with_reply(R"(
seen = []
async def application(scope, receive, send):
    scope['asgi']['spec_version'] += '!'
    scope['state']['n'] = len(seen)
    scope['headers'].append((b'a', b'b'))
    seen.append((scope['asgi'], scope['state'], len(scope['headers'])))
    await reply(send, repr(seen).encode())
)"));
  script.request()->outcome();
  const auto second = script.request();
  second->outcome();
  EXPECT_EQ(second->exchange().body(),
            "[({'version': '3.0', 'spec_version': '2.3!'}, {'n': 0}, 2), "
            "({'version': '3.0', 'spec_version': '2.3!'}, {'n': 1}, 2)]");
}

TEST(Asgi, ReceivesASmallBodyAsOneEvent) {
  const auto channel = run_asgi(R"(
async def application(scope, receive, send):
    await reply(send, repr(await receive()).encode())
)",
                                {.body = "some"});
  EXPECT_EQ(channel->exchange().body(),
            "{'type': 'http.request', 'body': b'some', 'more_body': False}");
}

constexpr std::string_view kCollects = R"(
async def application(scope, receive, send):
    events = []
    while True:
        event = await receive()
        events.append((event['body'], event['more_body']))
        if not event['more_body']:
            break
    await reply(send, repr(events).encode())
)";

TEST(Asgi, ReceivesABodyInPieces) {
  AsgiScript script(with_reply(kCollects));
  const auto channel = script.request({.body = FakeChannel::Body::comes_later});
  channel->wait_for_want_body();
  channel->send_body("one");
  channel->send_body("two", {.complete = true});
  channel->outcome();
  EXPECT_THAT(channel->exchange().body(),
              ::testing::AnyOf("[(b'one', True), (b'two', False)]", "[(b'onetwo', False)]"));
}

TEST(Asgi, ReceivesNothingTwiceWhenACallIsCancelled) {
  AsgiScript script(with_reply(R"(
import asyncio
async def application(scope, receive, send):
    call = asyncio.create_task(receive())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    call.cancel()
    try:
        await call
    except asyncio.CancelledError:
        await reply(send, (await receive())['body'])
)"));
  const auto channel = script.request({.body = FakeChannel::Body::comes_later});
  channel->wait_for_want_body();
  channel->send_body("whole", {.complete = true});
  channel->outcome();
  EXPECT_EQ(channel->exchange().body(), "whole");
}

TEST(Asgi, TellsEveryCallThatWaitsOfTheClientsLeaving) {
  AsgiScript script(with_reply(R"(
import asyncio
async def application(scope, receive, send):
    await receive()
    calls = [asyncio.ensure_future(receive()) for i in range(3)]
    await send({'type': 'http.response.start', 'status': 200})
    await send({'type': 'http.response.body', 'body': b'x', 'more_body': True})
    events = await asyncio.gather(*calls)
    events.append(await receive())
    await send({'type': 'http.response.body', 'body': b'nobody', 'more_body': True})
    print([event['type'] for event in events])
)"));
  const auto channel = script.request();
  channel->wait_for_parts(1);
  channel->leave();
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::complete);
  EXPECT_EQ(log_of(*channel),
            "['http.disconnect', 'http.disconnect', 'http.disconnect', 'http.disconnect']\n");
}

TEST(Asgi, TellsOfTheEndOfTheReplyAsOfALeaving) {
  const auto channel = run_asgi(R"(
async def application(scope, receive, send):
    await receive()
    await reply(send)
    print((await receive())['type'])
)");
  EXPECT_EQ(log_of(*channel), "http.disconnect\n");
}

TEST(Asgi, StreamsPieceByPiece) {
  const auto channel = run_asgi(R"(
async def application(scope, receive, send):
    await send({'type': 'http.response.start', 'status': 200})
    for piece in b'one', memoryview(b'two'):
        await send({'type': 'http.response.body', 'body': piece, 'more_body': True})
    await send({'type': 'http.response.body'})
)");
  const auto& parts = channel->exchange().parts();
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_TRUE(parts[0].had_head);
  EXPECT_EQ(parts[0].then, Then::pause);
  EXPECT_EQ(parts[1].bytes(), "two");
  EXPECT_EQ(parts[2].then, Then::end);
}

TEST(Asgi, LetsTheHeadOfAStreamOfEventsLeaveAtOnce) {
  AsgiScript script(with_reply(R"(
async def application(scope, receive, send):
    await send({'type': 'http.response.start', 'status': 200,
                'headers': [(b'content-type', b'text/event-stream')]})
    await receive()
    await receive()
)"));
  const auto channel = script.request();
  channel->wait_for_parts(1);
  channel->leave();
  channel->outcome();
  EXPECT_TRUE(channel->exchange().parts()[0].had_head);
}

TEST(Asgi, LetsAHeadThatNoBodyFollowsLeaveAfterAMoment) {
  AsgiScript script(with_reply(R"(
async def application(scope, receive, send):
    await send({'type': 'http.response.start', 'status': 200})
    await receive()
    await receive()
)"));
  const auto channel = script.request();
  channel->wait_for_parts(1);
  channel->leave();
  channel->outcome();
  EXPECT_TRUE(channel->exchange().parts()[0].had_head);
}

TEST(Asgi, WaitsForASlowClientInTheOrderOfItsCalls) {
  AsgiScript script(with_reply(R"(
import asyncio
async def application(scope, receive, send):
    async def piece(body):
        await send({'type': 'http.response.body', 'body': body, 'more_body': True})
    await send({'type': 'http.response.start', 'status': 200})
    await piece(b'0')
    calls = [asyncio.create_task(piece(b'%d' % i)) for i in range(1, 6)]
    await asyncio.sleep(0)
    calls[2].cancel()
    print('cancelled')
    await asyncio.gather(*calls, return_exceptions=True)
    await send({'type': 'http.response.body'})
)"));
  const PlaceResult placed = script.place();
  ASSERT_TRUE(placed);
  const gateway::Target target = script.target();
  FakeChannel channel(source_of(**placed), target,
                      {.body = FakeChannel::Body::arrived, .takes = false});
  EXPECT_TRUE(wait_until([&] { return log_of(channel) == "cancelled\n"; }));
  ASSERT_EQ(channel.parts(), 1u);
  channel.take_all();
  EXPECT_EQ(channel.outcome().kind, Outcome::Kind::complete);
  EXPECT_EQ(channel.exchange().body(), "01245");
}

TEST(Asgi, TellsHeadersEarlyWhereTheClientKnowsThat) {
  const auto channel = run_asgi(R"(
async def application(scope, receive, send):
    assert scope['extensions']['http.response.early_hint'] == {}
    await send({'type': 'http.response.early_hint', 'links': [b'</a.css>; rel=preload', b'</b>']})
    await reply(send)
)",
                                {.environ = {{"SERVER_PROTOCOL", "HTTP/2.0"}}});
  EXPECT_EQ(channel->exchange().early_hints(), "link: </a.css>; rel=preload\nlink: </b>\n");
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::complete);
}

TEST(Asgi, AnswersAnExceptionWith500AndOneRecord) {
  const auto channel = run_asgi(R"(
async def application(scope, receive, send):
    raise ValueError('no')
)");
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::refused);
  EXPECT_EQ(channel->outcome().status, 500);
  EXPECT_EQ(channel->outcome().failure, gateway::FailureCause::exception);
  EXPECT_THAT(channel->exchange().recorder().text_of(base::Message::application_raised),
              AllOf(HasSubstr("raised ValueError: no"), HasSubstr("Traceback")));
}

TEST(Asgi, BreaksOffAReplyThatAnExceptionEnds) {
  const auto channel = run_asgi(R"(
async def application(scope, receive, send):
    await send({'type': 'http.response.start', 'status': 200})
    await send({'type': 'http.response.body', 'body': b'some', 'more_body': True})
    raise ValueError('no')
)");
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::broken);
  EXPECT_EQ(channel->exchange().body(), "some");
}

TEST(Asgi, AnswersAnApplicationThatReturnsWithoutAReplyWith500) {
  const auto channel = run_asgi(R"(
async def application(scope, receive, send):
    await send({'type': 'http.response.start', 'status': 200})
)");
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::refused);
  EXPECT_EQ(channel->outcome().status, 500);
  EXPECT_THAT(channel->exchange().recorder().text_of(base::Message::reply_incomplete),
              HasSubstr("without having sent a reply"));
}

TEST(Asgi, SurvivesSystemExit) {
  const auto channel = run_asgi(R"(
async def application(scope, receive, send):
    raise SystemExit(3)
)");
  EXPECT_EQ(channel->outcome().status, 500);
  EXPECT_NE(channel->exchange().recorder().text_of(base::Message::application_exited), "");
}

TEST(Asgi, RaisesOutOfSendWhatIsWrongWithAnEvent) {
  constexpr std::string_view kEvents[] = {
      "None",
      "{}",
      "{'type': b'http.response.start'}",
      "{'type': 'http.response.beginning'}",
      "{'type': 'http.response.start'}",
      "{'type': 'http.response.start', 'status': '200'}",
      "{'type': 'http.response.start', 'status': 99}",
      "{'type': 'http.response.start', 'status': 200, 'headers': [('a', 'b')]}",
      "{'type': 'http.response.start', 'status': 200, 'headers': [(b'a',)]}",
      "{'type': 'http.response.start', 'status': 200, 'headers': [(b'a', b'\\n')]}",
      "{'type': 'http.response.start', 'status': 200, 'headers': 5}",
      "{'type': 'http.response.body', 'body': b'x'}",
      "{'type': 'http.response.early_hint'}",
      "{'type': 'http.response.early_hint', 'links': ['x']}",
      "{'type': 'http.response.early_hint', 'links': [b'\\n']}",
  };
  for (const std::string_view event : kEvents) {
    const auto channel = run_asgi(fmt::format(R"(
async def application(scope, receive, send):
    try:
        await send({})
    except (TypeError, ValueError, RuntimeError) as error:
        await reply(send, type(error).__name__.encode())
)",
                                              event));
    EXPECT_THAT(channel->exchange().body(), HasSubstr("Error")) << event;
  }
}

TEST(Asgi, RaisesOutOfReceiveWhatIsWrongWithTheBody) {
  AsgiScript script(with_reply(R"(
async def application(scope, receive, send):
    await receive()
)"));
  const auto channel = script.request({.body = FakeChannel::Body::comes_later});
  channel->wait_for_want_body();
  channel->send_body("", {.fault = gateway::BodyFault::too_large});
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::refused);
  EXPECT_EQ(channel->outcome().status, 413);
  EXPECT_NE(channel->exchange().recorder().text_of(base::Message::client_fault), "");
}

TEST(Asgi, GoesOnBehindItsReply) {
  AsgiScript script(with_reply(R"(
import asyncio
go_on = asyncio.Event()
async def application(scope, receive, send):
    await reply(send, b'done')
    if scope['path'] == '/go':
        go_on.set()
    else:
        await go_on.wait()
        print('background')
)"));
  const auto first = script.request();
  first->wait_for_parts(1);
  script.request({.request = {.environ = {{"PATH_INFO", "/go"}}}})->outcome();
  first->outcome();
  EXPECT_TRUE(first->exchange().ended());
  EXPECT_EQ(log_of(*first), "background\n");
}

TEST(Asgi, KeepsContextsOfExchangesApart) {
  AsgiScript script(with_reply(R"(
import contextvars
variable = contextvars.ContextVar('variable', default='unset')
async def application(scope, receive, send):
    seen = variable.get()
    variable.set(scope['path'])
    await reply(send, seen.encode())
)"));
  for (int i = 0; i < 3; ++i) {
    const auto channel = script.request();
    channel->outcome();
    EXPECT_EQ(channel->exchange().body(), "unset");
  }
}

TEST(Asgi, RunsManyExchangesAtATime) {
  AsgiScript script(with_reply(R"(
import asyncio
here = 0
all_here = asyncio.Event()
async def application(scope, receive, send):
    global here
    assert scope['type'] == 'http'
    here += 1
    if here == 50:
        all_here.set()
    await all_here.wait()
    await reply(send, b'%d' % here)
)"));
  std::vector<std::unique_ptr<FakeChannel>> channels;
  for (int i = 0; i < 50; ++i) channels.push_back(script.request());
  for (const auto& channel : channels) {
    channel->outcome();
    EXPECT_EQ(channel->exchange().body(), "50");
  }
}

TEST(Asgi, IsRecognisedByHowItCanBeCalled) {
  const std::pair<std::string_view, bool> kApplications[] = {
      {"async def application(scope, receive, send): pass", true},
      {"class A:\n  async def __call__(self, scope, receive, send): pass\napplication = A()", true},
      {"import functools\nasync def f(x, scope, receive, send): pass\n"
       "application = functools.partial(f, 1)",
       true},
      {"class application:\n  def __init__(self, scope): pass\n"
       "  async def __call__(self, receive, send): pass",
       true},
      {"def application(scope):\n  async def f(receive, send): pass\n  return f", true},
      {"async def f(scope, receive, send): pass\n"
       "def application(scope, receive, send): return f(scope, receive, send)",
       true},
      {"class application:\n  def __init__(self, scope, receive, send): pass\n"
       "  def __await__(self): yield",
       true},
      {"async def application(*arguments): pass", true},
      {"async def application(environ, start_response): pass", false},
      {"def application(*arguments): return []", false},
      {"def application(environ, start_response): return []", false},
      {"class application:\n  def __init__(self, environ, start_response): pass\n"
       "  def __iter__(self): return iter(())",
       false},
      {"class A:\n  def __call__(self, environ, start_response): return []\napplication = A()",
       false}};
  for (const auto& [source, is_asgi] : kApplications) {
    AsgiScript script(source, Protocol::detected);
    const PlaceResult placed = script.place();
    ASSERT_TRUE(placed) << source;
    EXPECT_EQ(*placed != nullptr, is_asgi) << source;
  }
}

TEST(Asgi, OfTheFirstEditionIsCalledInTwoSteps) {
  AsgiScript script(with_reply(R"(
class application:
    def __init__(self, scope):
        self.scope = scope
    async def __call__(self, receive, send):
        await reply(send, self.scope['type'].encode())
)"),
                    Protocol::asgi2);
  const auto channel = script.request();
  channel->outcome();
  EXPECT_EQ(channel->exchange().body(), "http");
}

TEST(Asgi, RunsInASubInterpreter) {
  AsgiScript script(with_reply(R"(
import asyncio
async def application(scope, receive, send):
    await asyncio.sleep(0.001)
    await reply(send, (await receive())['body'])
)"),
                    Protocol::asgi, "sub");
  const auto channel = script.request({.request = {.body = "there"}});
  channel->outcome();
  EXPECT_EQ(channel->exchange().body(), "there");
}

TEST(Asgi, HandsBackWhatItsLoopDoesNotKnow) {
  AsgiScript known(with_reply("async def application(scope, receive, send): await reply(send)"));
  const PlaceResult placed = known.place();
  ASSERT_TRUE(placed);
  const Script unknown("def application(environ, start_response): return []");
  const gateway::Target target{.script = unknown.path(), .protocol = Protocol::detected};
  FakeChannel channel(source_of(**placed), target);
  EXPECT_TRUE(channel.handed_back());
}

TEST(Asgi, IsRefusedWhereItCannotBeImported) {
  AsgiScript script("import nowhere_to_be_found");
  const PlaceResult placed = script.place();
  ASSERT_FALSE(placed);
  EXPECT_EQ(placed.error().kind, Outcome::Kind::refused);
  EXPECT_TRUE(placed.error().import_failed);
  EXPECT_EQ(placed.error().failure, gateway::FailureCause::import_failed);
}

}  // namespace
}  // namespace pyhost::test
