// What of environ is about the client.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>

#include "engine/engine_fixture.h"

namespace pyhost::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Values;

class ClientFunction : public ::testing::TestWithParam<const char*> {
 protected:
  Reply in_request(std::string_view body) {
    return run_source(fmt::format(R"(
import threading
def application(environ, start_response):
    hints = environ['wsgi.early_hints']
    gone = environ['mod_wsgi.client_disconnected']
{}
)",
                                  body),
                      {}, GetParam());
  }
};

INSTANTIATE_TEST_SUITE_P(, ClientFunction, Values("", "sub"), [](const auto& test) {
  return *test.param == '\0' ? "OfTheMainInterpreter" : "OfASubInterpreter";
});

TEST_P(ClientFunction, SendsEarlyHints) {
  const Reply reply = in_request(R"(
    assert hints([('Link', '</a.css>; rel=preload'), ('X-A', '\xe9')]) is None
    hints([])
    start_response('200 OK', [])
    return [b'x']
)");
  EXPECT_EQ(reply.body(), "x") << reply.log();
  EXPECT_EQ(reply.exchange->early_hints(), "Link: </a.css>; rel=preload\nX-A: \xe9\n");
}

TEST_P(ClientFunction, RefusesWhatIsNoHint) {
  const Reply reply = in_request(R"(
    refused = []
    for bad in (('A', 'b'), ['A: b'], [('A',)], [('A', 7)], [(b'A', 'b')], [('A', 'b\r\nC: d')], [('A b', 'c')],
                [('Connection', 'close')], [('Content-Length', '3')], [('A', 'b')] * 65, [('A', 'b' * 20000)],
                [('A', '\u20ac')]):
        try:
            hints(bad)
        except Exception as error:
            refused.append(type(error).__name__)
    start_response('200 OK', [])
    return [' '.join(refused).encode()]
)");
  EXPECT_EQ(reply.body(),
            "TypeError TypeError ValueError TypeError TypeError ValueError ValueError ValueError "
            "ValueError ValueError ValueError UnicodeEncodeError");
  EXPECT_EQ(reply.exchange->early_hints(), "");
}

TEST_P(ClientFunction, RefusesEarlyHintsBehindTheHead) {
  const Reply reply = in_request(R"(
    start_response('200 OK', [])
    hints([('A', 'b')])
    yield b'x'
    try:
        hints([('A', 'b')])
    except RuntimeError as error:
        yield str(error).encode()
)");
  EXPECT_EQ(reply.body(), "xthe response headers have already been sent");
  EXPECT_EQ(reply.exchange->early_hints(), "A: b\n");
}

TEST_P(ClientFunction, IsAboutTheRequestOfItsContext) {
  const Reply reply = in_request(R"(
    raised = []
    def work():
        for function in (lambda: hints([]), gone):
            try:
                function()
            except RuntimeError as error:
                raised.append(str(error))
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    start_response('200 OK', [])
    return ['; '.join(raised).encode()]
)");
  EXPECT_EQ(reply.body(),
            "no application serves a request in this context; no application serves a request in "
            "this context");
}

TEST_P(ClientFunction, TellsWhetherTheClientHasGone) {
  const Script script(R"(
import time
def application(environ, start_response):
    gone = environ['mod_wsgi.client_disconnected']
    start_response('200 OK', [])
    first = gone()
    yield str(first).encode()
    while not gone():
        time.sleep(0.001)
    print('it has gone', file=environ['wsgi.errors'])
)");
  FakeExchange exchange;
  std::jthread client([&exchange] {
    while (exchange.parts_sent() == 0) std::this_thread::yield();
    exchange.leave();
  });
  engine().run({.application_group = GetParam(), .script = script.path()}, exchange);
  EXPECT_EQ(exchange.body(), "False");
  EXPECT_THAT(exchange.recorder().text(), HasSubstr("it has gone"));
}

}  // namespace
}  // namespace pyhost::test
