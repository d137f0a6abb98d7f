// What ASGI applications are told of their requests (mod_wsgi.subscribe_events), and what is
// recorded of these.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "engine/asgi_fixture.h"

namespace pyhost::test {
namespace {

using ::testing::HasSubstr;

// Tells what it has seen when it is asked for /seen, of the requests before that one.
constexpr char kObserved[] = R"(
import mod_wsgi

seen = []

def observe(event, **payload):
    scope = payload.get('request_scope')
    if scope and scope['path'] == '/seen':
        payload['request_data']['hidden'] = True
    if payload['request_data'].get('hidden'):
        return
    seen.append((event, payload))

mod_wsgi.subscribe_events(observe)

async def application(scope, receive, send):
    if scope['path'] == '/seen':
        return await reply(send, repr(eval(scope['query_string'])).encode())
    mod_wsgi.request_data()['path'] = scope['path']
    if scope['path'] == '/raises':
        raise KeyError('gone')
    body = (await receive())['body']
    await send({'type': 'http.response.start', 'status': 201, 'headers': [(b'x-a', b'1')]})
    await send({'type': 'http.response.body', 'body': body, 'more_body': True})
    await send({'type': 'http.response.body', 'body': b'!'})
)";

class AsgiEvents : public testing::Test {
 protected:
  std::unique_ptr<FakeChannel> ask(std::string path, std::string query = "",
                                   std::string body = "") {
    auto channel = script_.request({.request = {.environ = {{"PATH_INFO", std::move(path)},
                                                            {"QUERY_STRING", std::move(query)},
                                                            {"mod_wsgi.request_id", "id-1"}},
                                                .body = std::move(body)}});
    channel->outcome();
    return channel;
  }
  // What that expression gives, in the application.
  std::string value(std::string expression) {
    return ask("/seen", std::move(expression))->exchange().body();
  }

  AsgiScript script_{with_reply(kObserved), gateway::Protocol::asgi, "observed"};
};

TEST_F(AsgiEvents, TellOfARequestFromItsStartToItsEnd) {
  ask("/page", "", "four");
  EXPECT_EQ(value("[event for event,payload in seen]"),
            "['request_started', 'response_started', 'request_finished']");
  EXPECT_EQ(value("seen[0][1]['request_scope']['path']"), "'/page'");
  EXPECT_EQ(value("'request_environ'in seen[0][1]"), "False");
  EXPECT_EQ(value("seen[0][1]['application_object']is application"), "True");
  EXPECT_EQ(value("[seen[1][1][key]for key in('response_status','response_headers')]"),
            "[201, [(b'x-a', b'1')]]");
  EXPECT_EQ(value("[seen[2][1][key]for key in('status','input_reads','input_length',"
                  "'output_writes','output_length','cpu_time','request_id')]"),
            "[201, 1, 4, 2, 5, 0.0, 'id-1']");
  EXPECT_EQ(value("[payload['request_data']for event,payload in seen]"),
            "[{'path': '/page'}, {'path': '/page'}, {'path': '/page'}]");
}

TEST_F(AsgiEvents, TellOfWhatIsRaised) {
  EXPECT_EQ(ask("/raises")->outcome().status, 500);
  EXPECT_EQ(value("[event for event,payload in seen]"),
            "['request_started', 'request_exception', 'request_finished']");
  EXPECT_EQ(value("seen[1][1]['exception_info'][0].__name__"), "'KeyError'");
  EXPECT_EQ(value("seen[2][1]['status']"), "500");
}

TEST(AsgiEvent, MayGiveAnotherApplication) {
  AsgiScript script(with_reply(R"(
import mod_wsgi

def observe(event, **payload):
    if event == 'request_started':
        async def other(scope, receive, send):
            await send({'type': 'http.response.start', 'status': 299, 'headers': []})
            await payload['application_object'](scope, receive, send)
        return {'application_object': other}

mod_wsgi.subscribe_events(observe)

async def application(scope, receive, send):
    await send({'type': 'http.response.body', 'body': b'inner'})
)"),
                    gateway::Protocol::asgi, "wrapped");
  const auto channel = script.request();
  channel->outcome();
  EXPECT_EQ(channel->exchange().status(), 299);
  EXPECT_EQ(channel->exchange().body(), "inner");
}

TEST(AsgiRequests, AreAmongThoseThatAreActiveWhileTheyRun) {
  AsgiScript script(with_reply(R"(
import mod_wsgi

async def application(scope, receive, send):
    mod_wsgi.request_data()['n'] = 1
    await reply(send, repr(list(mod_wsgi.active_requests.items())).encode())
)"));
  for (int i = 0; i < 2; ++i) {
    const auto channel =
        script.request({.request = {.environ = {{"mod_wsgi.request_id", "id-1"}}}});
    channel->outcome();
    EXPECT_EQ(channel->exchange().body(), "[('id-1', {'n': 1})]");
  }
}

TEST(AsgiRequests, AreRecorded) {
  AsgiScript script(with_reply(R"(
import mod_wsgi
mod_wsgi.start_recording_metrics()
mod_wsgi.request_metrics()

async def application(scope, receive, send):
    figures = mod_wsgi.request_metrics()
    await reply(send, repr([figures[key] for key in ('request_count', 'status_2xx')]).encode())
)"));
  script.request()->outcome();
  const auto channel = script.request();
  channel->outcome();
  EXPECT_THAT(channel->exchange().body(), HasSubstr("[1, 1]"));
}

}  // namespace
}  // namespace pyhost::test
