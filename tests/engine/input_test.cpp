// wsgi.input.

#include <gmock/gmock.h>

#include <algorithm>

#include "engine/engine_fixture.h"

namespace pyhost::test {
namespace {

using gateway::BodyFault;
using ::testing::HasSubstr;

// What `expression` gives for a request, as its repr.
std::string evaluate(const std::string& expression, FakeRequest request) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    body = environ['wsgi.input']
    start_response('200 OK', [])
    return [repr()" + expression + R"().encode()]
)",
                                 std::move(request));
  return reply.complete() ? reply.body() : reply.log();
}

TEST(Input, ReadGivesTheWholeBody) {
  EXPECT_EQ(evaluate("body.read()", {.body = "hello"}), "b'hello'");
  EXPECT_EQ(evaluate("body.read(-1)", {.body = "hello"}), "b'hello'");
  EXPECT_EQ(evaluate("body.read(None)", {.body = "hello"}), "b'hello'");
  EXPECT_EQ(evaluate("(body.read(), body.read())", {.body = ""}), "(b'', b'')");
  EXPECT_EQ(evaluate("len(body.read())", {.body = std::string(3'000'000, 'x')}), "3000000");
  EXPECT_EQ(evaluate("len(body.read())", {.body = std::string(300'000, 'x'), .chunked = true}),
            "300000");
}

TEST(Input, ReadBlocksUntilTheSizeIsThere) {
  const FakeRequest trickle{.body_steps = {{"ab"}, {"c"}, {"def"}}, .chunked = true};
  EXPECT_EQ(evaluate("(body.read(5), body.read(5), body.read(5))", trickle),
            "(b'abcde', b'f', b'')");
}

TEST(Input, ReadOfNothingReadsNothing) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    assert environ['wsgi.input'].read(0) == b''
    start_response('200 OK', [])
    return []
)",
                                 {.body = "x"});
  EXPECT_TRUE(reply.complete());
  EXPECT_EQ(reply.exchange->body_reads(), 0u);
}

TEST(Input, ReadlineStopsAtLineEndsSizesAndTheEnd) {
  const FakeRequest lines{.body = "one\ntwo\n\nlast"};
  EXPECT_EQ(evaluate("[body.readline() for _ in range(5)]", lines),
            "[b'one\\n', b'two\\n', b'\\n', b'last', b'']");
  EXPECT_EQ(evaluate("[body.readline(2) for _ in range(3)]", lines), "[b'on', b'e\\n', b'tw']");
  EXPECT_EQ(evaluate("(body.readline(4), body.readline(0), body.read(2), body.readline())", lines),
            "(b'one\\n', b'', b'tw', b'o\\n')");
  EXPECT_EQ(evaluate("list(body)", lines), "[b'one\\n', b'two\\n', b'\\n', b'last']");
  EXPECT_EQ(evaluate("len(body.readline())", {.body = std::string(100'000, 'x') + "\ny"}),
            "100001");
}

TEST(Input, KeepsNoLineThatHasBeenRead) {
  if (engine_is_sanitized()) GTEST_SKIP() << "a sanitizer keeps what is freed for a while";
  const Script script(R"(
def memory():
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * 4096
def application(environ, start_response):
    before = memory()
    lines = sum(1 for line in environ['wsgi.input'])
    start_response('200 OK', [])
    return [f'{lines} {memory() - before < 16_000_000}'.encode()]
)");
  std::string body;
  for (int i = 0; i < 640; ++i) body += std::string(100'000, 'x') + "\n";
  EXPECT_EQ(run(script, {.body = body}).body(), "640 True");
}

TEST(Input, ReadlinesTakesAHint) {
  const FakeRequest lines{.body = "one\ntwo\nthree"};
  EXPECT_EQ(evaluate("body.readlines()", lines), "[b'one\\n', b'two\\n', b'three']");
  EXPECT_EQ(evaluate("body.readlines(5)", lines), "[b'one\\n', b'two\\n']");
  EXPECT_EQ(evaluate("(body.readlines(4), body.read())", lines), "([b'one\\n'], b'two\\nthree')");
}

TEST(Input, HasCloseThatDoesNothing) {
  EXPECT_EQ(evaluate("(body.close(), body.read())", {.body = "x"}), "(None, b'x')");
}

TEST(Input, RefusesWrongArguments) {
  EXPECT_THAT(evaluate("body.read('x')", {}), HasSubstr("TypeError"));
  EXPECT_THAT(evaluate("body.read(1, 2)", {}), HasSubstr("TypeError"));
  EXPECT_THAT(evaluate("type(body)()", {}), HasSubstr("TypeError"));
}

struct Fault {
  BodyFault fault;
  const char* exception;
  const char* text;
  int status;
};

class InputFault : public ::testing::TestWithParam<Fault> {};

TEST_P(InputFault, RaisesAnOSErrorThatSaysWhich) {
  const FakeRequest request{.body_steps = {{"partial"}, {"", GetParam().fault}}, .chunked = true};
  const Reply reply = run_source(R"(
def application(environ, start_response):
    for _ in range(2):
        try:
            environ['wsgi.input'].read()
        except OSError as error:
            print(type(error).__name__, error)
    start_response('200 OK', [])
    return [b'handled']
)",
                                 request);
  EXPECT_EQ(reply.body(), "handled");
  const std::string line = std::string(GetParam().exception) +
                           " mod_wsgi request data read error: " + GetParam().text + "\n";
  EXPECT_EQ(reply.log(), line + line);
}

TEST_P(InputFault, IsNeverTheServersWhenTheApplicationLetsItThrough) {
  const FakeRequest request{.body_steps = {{"", GetParam().fault}}, .chunked = true};
  const Reply raised = run_source(R"(
def application(environ, start_response):
    environ['wsgi.input'].read()
)",
                                  request);
  EXPECT_EQ(raised.refused(), GetParam().status);

  const Reply converted = run_source(R"(
def application(environ, start_response):
    try:
        environ['wsgi.input'].read()
    except OSError:
        start_response('500 Internal Server Error', [])
        return [b'sorry']
)",
                                     request);
  EXPECT_EQ(converted.refused(), GetParam().status);
  EXPECT_FALSE(converted.exchange->has_head());
}

INSTANTIATE_TEST_SUITE_P(
    Faults, InputFault,
    ::testing::Values(
        Fault{BodyFault::client_gone, "ConnectionResetError",
              "the client closed the connection before the end of the body", 400},
        Fault{BodyFault::too_slow, "TimeoutError", "the client sent the body too slowly", 408},
        Fault{BodyFault::malformed, "OSError", "the client sent a malformed body", 400},
        Fault{BodyFault::too_large, "OSError", "the body is larger than LimitRequestBody allows",
              413}),
    [](const auto& info) {
      return "Status" + std::to_string(info.param.status) + info.param.exception;
    });

TEST(Input, RaisesAfterItsRequest) {
  const Script script(R"(
kept = []
def application(environ, start_response):
    if environ['QUERY_STRING'] == 'keep':
        kept.extend([environ['wsgi.input'], environ['wsgi.errors'], start_response,
                     start_response('200 OK', [])])
        return [b'kept']
    body, errors, start, write = kept
    raised = []
    for use in (body.read, body.readline, body.readlines, body.close, lambda: next(body),
                lambda: errors.write('x'), lambda: write(b'x'),
                lambda: start('200 OK', [])):
        try:
            use()
        except RuntimeError as error:
            raised.append(str(error))
    start_response('200 OK', [])
    return ['\n'.join(raised).encode()]
)");
  EXPECT_EQ(run(script, {.environ = {{"QUERY_STRING", "keep"}}}).body(), "kept");
  const std::string raised = run(script).body();
  EXPECT_EQ(std::ranges::count(raised, '\n'), 7) << raised;
  EXPECT_THAT(raised, HasSubstr("wsgi.input was used after its request was completed"));
  EXPECT_THAT(raised, HasSubstr("<wsgi.errors> was used after its request was completed"));
}

// As a framework does that keeps the environ in a cycle of its own objects.
TEST(ErrorStream, MayBeFlushedAndCollectedAfterItsRequest) {
  const Script script(R"(
kept = []
def application(environ, start_response):
    start_response('200 OK', [])
    if environ['QUERY_STRING'] == 'keep':
        kept.append(environ['wsgi.errors'])
        return [b'kept']
    kept[0].flush()
    kept.clear()
    return [b'let go']
)");
  EXPECT_EQ(run(script, {.environ = {{"QUERY_STRING", "keep"}}}).body(), "kept");
  const Reply reply = run(script);
  EXPECT_EQ(reply.body(), "let go");
  EXPECT_EQ(reply.log(), "");
}

}  // namespace
}  // namespace pyhost::test
