// start_response(), write() and iteration, as PEP 3333 has them.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "engine/engine_fixture.h"

namespace pyhost::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Then = gateway::ReplyPart::Then;

TEST(Response, OfAListIsOnePartWithHeadBodyAndEnd) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    start_response('201 Made', [('X-A', '1'), ('X-A', '2')])
    return [b'one ', b'', b'two']
)");
  EXPECT_TRUE(reply.complete());
  EXPECT_EQ(reply.exchange->status(), 201);
  EXPECT_EQ(reply.exchange->reason(), "Made");
  EXPECT_EQ(reply.exchange->headers(),
            (std::vector<std::pair<std::string, std::string>>{{"X-A", "1"}, {"X-A", "2"}}));
  EXPECT_EQ(reply.body(), "one two");
  ASSERT_EQ(reply.exchange->parts().size(), 1u);
  EXPECT_EQ(reply.exchange->parts()[0].then, Then::end);
}

// A worker's connection is somebody else's as soon as the end has left.
TEST(Response, EndsAfterEverythingThatBelongsToItsLog) {
  for (const char* body : {"return [b'12345']", "return [b'1' * 100_000]"}) {
    const Reply reply = run_source(fmt::format(R"(
def application(environ, start_response):
    print('unfinished line', end='', file=environ['wsgi.errors'])
    start_response('200 OK', [('Content-Length', '3')])
    {}
)",
                                               body));
    EXPECT_TRUE(reply.complete());
    EXPECT_THAT(reply.exchange->log_before_end(),
                AllOf(HasSubstr("unfinished line\n"), HasSubstr("more than its Content-Length")))
        << body;
    EXPECT_EQ(reply.exchange->log_before_end(), reply.exchange->recorder().text());
  }
}

TEST(Response, OfAGeneratorEndsAfterItsUnfinishedLine) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    print('unfinished line', end='', file=environ['wsgi.errors'])
    start_response('200 OK', [('Content-Length', '3')])
    yield b'123'
)");
  EXPECT_TRUE(reply.complete());
  EXPECT_THAT(reply.exchange->log_before_end(), HasSubstr("unfinished line\n"));
}

TEST(Response, OfAGeneratorThatTakesItsTimeLeavesBlockByBlock) {
  const Reply reply = run_source(R"(
import time

def application(environ, start_response):
    start_response('200 OK', [])
    yield b'one'
    yield b''
    time.sleep(0.003)
    yield b'two'
)");
  EXPECT_TRUE(reply.complete());
  const auto& parts = reply.exchange->parts();
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].then, Then::pause);
  EXPECT_EQ(parts[1].bytes(), "two");
  EXPECT_EQ(parts[2].then, Then::end);
}

TEST(Response, OfAnIteratorOverAListIsOnePart) {
  const Reply reply = run_source(R"(
class Response:
    def __iter__(self):
        return iter([b'one', b'two'])
def application(environ, start_response):
    start_response('200 OK', [])
    return Response()
)");
  EXPECT_TRUE(reply.complete());
  EXPECT_EQ(reply.body(), "onetwo");
  EXPECT_EQ(reply.exchange->parts().size(), 1u);
}

TEST(Response, WithAKnownSingleBlockGetsAContentLength) {
  const Reply reply = run_source(R"(
class Response:
    def __len__(self):
        return 1
    def __iter__(self):
        yield b'whole'
def application(environ, start_response):
    start_response('200 OK', [])
    return Response()
)");
  EXPECT_EQ(reply.exchange->content_length(), 5u);
  EXPECT_EQ(reply.exchange->parts().size(), 1u);
}

TEST(Response, EndsWithTheByteThatCompletesItsContentLength) {
  const Reply reply = run_source(R"(
class Response:
    def __iter__(self):
        yield b'12345'
def application(environ, start_response):
    start_response('200 OK', [('Content-Length', '5')])
    return Response()
)");
  ASSERT_EQ(reply.exchange->parts().size(), 1u);
  EXPECT_EQ(reply.exchange->parts()[0].then, Then::end);
}

TEST(Response, ShorterThanItsContentLengthIsBroken) {
  for (const char* body : {"return [b'12345']", "yield b'12345'"}) {
    const Reply reply = run_source(std::string(R"(
def application(environ, start_response):
    start_response('200 OK', [('Content-Length', '20')])
    )") + body + "\n");
    EXPECT_TRUE(reply.broken()) << body;
    EXPECT_FALSE(reply.exchange->ended());
    EXPECT_THAT(reply.exchange->recorder().text_of(base::Message::response_short),
                HasSubstr("15 bytes less"));
  }
}

TEST(Response, LongerThanItsContentLengthIsCut) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    start_response('200 OK', [('Content-Length', '3')])
    yield b'12'
    yield b'34'
    yield b'56'
)");
  EXPECT_TRUE(reply.complete());
  EXPECT_EQ(reply.body(), "123");
  EXPECT_THAT(reply.exchange->recorder().text_of(base::Message::response_long),
              HasSubstr("at least 1 bytes more"));
}

TEST(Response, ToHeadMayOmitTheBodyItAnnounces) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    start_response('200 OK', [('Content-Length', '1000')])
    return []
)",
                                 {.is_head = true});
  EXPECT_TRUE(reply.complete());
  EXPECT_EQ(reply.exchange->content_length(), 1000u);
  EXPECT_EQ(reply.log(), "");
}

TEST(Response, IsRefusedWhenStartResponseWasNotCalled) {
  for (const char* source :
       {"def application(e, s):\n    return [b'x']\n", "def application(e, s):\n    return []\n",
        "def application(e, s):\n    yield b'x'\n"}) {
    const Reply reply = run_source(source);
    EXPECT_EQ(reply.refused(), 500) << source;
    EXPECT_THAT(reply.log(), HasSubstr("before it called start_response()"));
  }
}

TEST(Response, MayStartLazilyInAGenerator) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    yield b''
    start_response('202 Later', [])
    yield b'x'
)");
  EXPECT_TRUE(reply.complete());
  EXPECT_EQ(reply.exchange->status(), 202);
}

TEST(Response, MustConsistOfBytes) {
  for (const char* value : {"'text'", "b'bytes'", "[bytearray(b'x')]", "['text']", "None",
                            "[b'x', 1]", "iter(['text'])", "7"}) {
    const Reply reply = run_source(std::string(R"(
def application(environ, start_response):
    start_response('200 OK', [])
    return )") + value + "\n");
    EXPECT_EQ(reply.refused(), 500) << value;
    EXPECT_THAT(reply.log(), HasSubstr("TypeError")) << value;
  }
}

TEST(Response, LargerThanWhatIsCopiedArrivesWhole) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'x' * 50000, b'y' * 50000]
)");
  EXPECT_EQ(reply.body(), std::string(50000, 'x') + std::string(50000, 'y'));
  EXPECT_EQ(reply.exchange->parts().size(), 1u);
}

TEST(Write, SendsAtOnce) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    write = start_response('200 OK', [])
    assert write(b'one') is None
    write(b'')
    write(b'two')
    return [b'three']
)");
  EXPECT_TRUE(reply.complete());
  EXPECT_EQ(reply.body(), "onetwothree");
  ASSERT_EQ(reply.exchange->parts().size(), 3u);
  EXPECT_EQ(reply.exchange->parts()[0].then, Then::pause);
}

TEST(Write, TakesOnlyBytes) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    start_response('200 OK', [])('text')
    return []
)");
  EXPECT_EQ(reply.refused(), 500);
  EXPECT_THAT(reply.log(), HasSubstr("write() argument must be bytes, not str"));
}

TEST(Write, RaisesWhenTheClientHasGone) {
  const Reply reply = run_source(R"(
import time

def application(environ, start_response):
    write = start_response('200 OK', [])
    write(b'one')
    time.sleep(0.003)
    try:
        write(b'two')
    except OSError as error:
        print('caught', error)
    return []
)",
                                 {.client_gone_after_parts = 1});
  EXPECT_TRUE(reply.complete());
  EXPECT_THAT(reply.log(), HasSubstr("caught the client no longer listens"));
}

TEST(StartResponse, SecondCallReplacesTheFirstUntilSomethingIsSent) {
  const Reply reply = run_source(R"(
import sys
def application(environ, start_response):
    start_response('200 OK', [('X-A', '1'), ('Content-Length', '7')])
    try:
        raise ValueError('boom')
    except ValueError:
        start_response('500 Sorry', [('X-B', '2')], sys.exc_info())
    return [b'x']
)");
  EXPECT_EQ(reply.exchange->status(), 500);
  EXPECT_EQ(reply.exchange->header("X-A"), std::nullopt);
  EXPECT_EQ(reply.exchange->header("X-B"), "2");
  EXPECT_EQ(reply.exchange->content_length(), std::nullopt);
  EXPECT_TRUE(reply.complete());
}

TEST(StartResponse, WithExcInfoAfterTheHeadRaisesThatException) {
  const Reply reply = run_source(R"(
import sys
def application(environ, start_response):
    start_response('200 OK', [])(b'x')
    try:
        raise ValueError('boom')
    except ValueError:
        start_response('500 Sorry', [], sys.exc_info())
    return []
)");
  EXPECT_TRUE(reply.broken());
  EXPECT_THAT(reply.log(), HasSubstr("ValueError: boom"));
}

TEST(StartResponse, AfterTheHeadRaises) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    start_response('200 OK', [])(b'x')
    start_response('200 OK', [])
    return []
)");
  EXPECT_TRUE(reply.broken());
  EXPECT_THAT(reply.log(), HasSubstr("the response headers have already been sent"));
}

TEST(StartResponse, TakesExcInfoByName) {
  const Reply reply = run_source(R"(
import sys
def application(environ, start_response):
    start_response('200 OK', [])(b'x')
    try:
        raise ValueError('boom')
    except ValueError:
        start_response('500 Sorry', [], exc_info=sys.exc_info())
    return []
)");
  EXPECT_TRUE(reply.broken());
  EXPECT_THAT(reply.log(), HasSubstr("ValueError: boom"));
}

TEST(StartResponse, DropsWhatIsAboutTheConnectionAndSaysSoOnce) {
  const Script script(R"(
def application(environ, start_response):
    start_response('200 OK', [('X-A', '1'), ('connection', ' Keep-Alive'),
                              ('Keep-Alive', 'timeout=5'), ('Connection', environ['QUERY_STRING'])])
    return [b'x']
)");
  const auto connection = [&](const char* value) {
    return run(script, {.environ = {{"QUERY_STRING", value}}});
  };
  const Reply first = connection("keep-alive");
  EXPECT_TRUE(first.complete()) << first.log();
  EXPECT_EQ(first.exchange->headers(),
            (std::vector<std::pair<std::string, std::string>>{{"X-A", "1"}}));
  EXPECT_FALSE(first.exchange->closes_connection());
  EXPECT_THAT(first.exchange->recorder().text_of(base::Message::connection_header_dropped),
              HasSubstr("'connection:  Keep-Alive'"));
  const Reply second = connection("keep-alive,\tClose");
  EXPECT_TRUE(second.exchange->closes_connection());
  EXPECT_EQ(second.exchange->recorder().text_of(base::Message::connection_header_dropped), "");
}

TEST(StartResponse, CopiesItsHeaders) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    headers = [('X-A', 'kept')]
    start_response('200 OK', headers)
    headers.clear()
    return [b'x']
)");
  EXPECT_EQ(reply.exchange->header("X-A"), "kept");
}

struct BadHead {
  const char* arguments;
  const char* exception;
};

class StartResponseRefuses : public ::testing::TestWithParam<BadHead> {};

TEST_P(StartResponseRefuses, ABadHead) {
  const Reply reply =
      run_source(std::string("def application(environ, start_response):\n    start_response(") +
                 GetParam().arguments + ")\n    return [b'x']\n");
  EXPECT_EQ(reply.refused(), 500);
  EXPECT_THAT(reply.log(), HasSubstr(GetParam().exception));
}

INSTANTIATE_TEST_SUITE_P(
    Heads, StartResponseRefuses,
    ::testing::Values(
        BadHead{"b'200 OK', []", "TypeError: status must be str"},
        BadHead{"'200X', []", "ValueError: status must be three digits"},
        BadHead{"'20 x', []", "ValueError: status must be three digits"},
        BadHead{"'1000 x', []", "ValueError: status must be three digits"},
        BadHead{"'099 x', []", "ValueError: status must be from 200"},
        BadHead{"'101 Switching', []", "ValueError: status must be from 200"},
        BadHead{"'200 O\\nK', []", "ValueError: status has a control character"},
        BadHead{"'200 \\u20ac', []", "UnicodeEncodeError"},
        BadHead{"'200 OK', ()", "TypeError: the response headers must be a list"},
        BadHead{"'200 OK'", "TypeError: start_response("},
        BadHead{"'200 OK', [], None, None", "TypeError: start_response("},
        BadHead{"'200 OK', headers=[]", "TypeError: start_response("},
        BadHead{"'200 OK', [], headers=[]", "TypeError: start_response("},
        BadHead{"'200 OK', [], None, exc_info=None", "TypeError: start_response("},
        BadHead{"'200 OK', exc_info=None", "TypeError: start_response("},
        BadHead{"'200 OK', [], exc_info=1", "TypeError: exc_info must be"},
        BadHead{"'200 OK', [], 1", "TypeError: exc_info must be"},
        BadHead{"'200 OK', [['A', 'b']]", "TypeError: a response header must be a tuple"},
        BadHead{"'200 OK', [('A',)]", "ValueError: a response header must be a tuple"},
        BadHead{"'200 OK', [('A', 1)]", "TypeError: a response header's value must be str"},
        BadHead{"'200 OK', [('A', b'1')]", "TypeError: a response header's value must be str"},
        BadHead{"'200 OK', [('', '1')]", "ValueError: a response header has no name"},
        BadHead{"'200 OK', [('A:B', '1')]", "ValueError: response header name"},
        BadHead{"'200 OK', [('A B', '1')]", "ValueError: response header name"},
        BadHead{"'200 OK', [('A\\xe9', '1')]", "ValueError: response header name"},
        BadHead{"'200 OK', [('A', '1\\r\\nB: 2')]", "ValueError: the value of response header 'A'"},
        BadHead{"'200 OK', [('A', '1\\x002')]", "ValueError: the value of response header 'A'"},
        BadHead{"'200 OK', [('A', '\\u20ac')]", "UnicodeEncodeError"},
        BadHead{"'200 OK', [('Connection', 'upgrade')]", "hop-by-hop"},
        BadHead{"'200 OK', [('Connection', 'close, X-A')]", "hop-by-hop"},
        BadHead{"'200 OK', [('Connection', 'close\\n')]", "the value of response header"},
        BadHead{"'200 OK', [('Keep-Alive', 'a\\nb')]", "the value of response header"},
        BadHead{"'200 OK', [('transfer-encoding', 'chunked')]", "hop-by-hop"},
        BadHead{"'200 OK', [('Upgrade', 'x')]", "hop-by-hop"},
        BadHead{"'200 OK', [('Content-Length', '5'), ('content-length', '5')]",
                "two Content-Length"},
        BadHead{"'200 OK', [('Content-Length', '+5')]", "Content-Length must be a decimal number"},
        BadHead{"'200 OK', [('Content-Length', '')]", "Content-Length must be a decimal number"},
        BadHead{"'200 OK', [('Content-Length', '-5')]", "Content-Length must be a decimal number"},
        BadHead{"'200 OK', [('Content-Length', ' 5')]", "Content-Length must be a decimal number"},
        BadHead{"'200 OK', [('Content-Length', '5, 5')]",
                "Content-Length must be a decimal number"},
        BadHead{"'200 OK', [('Content-Length', '9223372036854775808')]",
                "Content-Length must be a decimal number up to 9223372036854775807"},
        BadHead{"'200 OK', [('Content-Length', '18446744073709551615')]",
                "Content-Length must be a decimal number"},
        BadHead{"'200 OK', [('Content-Length', '99999999999999999999')]",
                "Content-Length must be"}));

TEST(StartResponse, AcceptsUnusualButLegalHeads) {
  for (const char* arguments :
       {"'200', []", "'299 Odd', []", "'999 y', []", "'404 ', []",
        "'200 OK', [('Status', '404 Nope')]", "'200 OK', [('X', 'a\\tb\\xe9')]",
        "'200 OK', [('Location', '/x')]", "'200 OK', [], None", "'200 OK', [], exc_info=None"}) {
    const Reply reply =
        run_source(std::string("def application(environ, start_response):\n    start_response(") +
                   arguments + ")\n    return [b'x']\n");
    EXPECT_TRUE(reply.complete()) << arguments << reply.log();
    EXPECT_EQ(reply.log(), "");
  }
}

TEST(Close, IsCalledOnceInEveryCase) {
  const char* const bodies[] = {"return Response([b'x'])",           // completes
                                "return Response(iter([b'x', 1]))",  // fails while iterating
                                "return Response(None)",             // fails at iter()
                                "start_response = None; return Response([b'x'])"};
  for (const char* body : bodies) {
    const Reply reply = run_source(std::string(R"(
class Response:
    def __init__(self, items):
        self.items = items
    def __iter__(self):
        return iter(self.items)
    def close(self):
        print('closed')
def application(environ, start_response):
    start_response('200 OK', [])
    )") + body + "\n");
    const std::string log = reply.log();
    EXPECT_THAT(log, HasSubstr("closed\n")) << body;
    EXPECT_EQ(log.find("closed"), log.rfind("closed")) << body;
  }
}

TEST(Close, FollowsTheEndOfTheReply) {
  const Reply reply = run_source(R"(
class Response:
    def __iter__(self):
        return iter([b'x'])
    def close(self):
        raise ValueError('late')
def application(environ, start_response):
    start_response('200 OK', [])
    return Response()
)");
  EXPECT_TRUE(reply.complete());
  EXPECT_THAT(reply.exchange->recorder().text_of(base::Message::close_failed),
              HasSubstr("ValueError: late"));
}

TEST(Close, ComesWhenTheClientHasGone) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    start_response('200 OK', [])
    try:
        while True:
            yield b'tick'
    finally:
        print('closed')
)",
                                 {.client_gone_after_parts = 2});
  EXPECT_TRUE(reply.complete());
  EXPECT_THAT(reply.log(), HasSubstr("closed"));
}

}  // namespace
}  // namespace pyhost::test
