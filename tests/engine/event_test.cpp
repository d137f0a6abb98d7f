// What functions are told that applications have subscribed to events, and what they can do.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <optional>
#include <string>

#include "engine/engine_fixture.h"

namespace pyhost::test {
namespace {

using base::Message;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Values;

// Each test in the main interpreter and in a sub-interpreter. A script keeps what it is told; its
// next request answers with an expression of that.
class Event : public ::testing::TestWithParam<const char*> {
 protected:
  // `body` is that of application(environ, start_response).
  void start(std::string_view body, std::string_view before = "") {
    script_.emplace(fmt::format(R"(
import threading, mod_wsgi
mod_wsgi.event_callbacks.clear()
seen = []
def named(name):
    return [payload for event, payload in seen if event == name]
def note(event, **payload):
    if payload['request_data'].get('silent'):
        return
    seen.append((event, payload))
{1}
def serve(environ, start_response):
{0}
def application(environ, start_response):
    if environ['QUERY_STRING']:
        mod_wsgi.request_data()['silent'] = True
        start_response('200 OK', [])
        return [str(eval(environ['QUERY_STRING'])).encode()]
    return serve(environ, start_response)
def quiet(event, **payload):
    if event == 'request_started' and payload['request_environ']['QUERY_STRING']:
        payload['request_data']['silent'] = True
mod_wsgi.subscribe_events(quiet)
mod_wsgi.subscribe_events(note)
)",
                                body, before));
  }

  Reply request(FakeRequest request = {}) { return run(*script_, std::move(request), GetParam()); }
  std::string seen(std::string expression) {
    return request({.environ = {{"QUERY_STRING", std::move(expression)}}}).body();
  }

  std::optional<Script> script_;
};

INSTANTIATE_TEST_SUITE_P(, Event, Values("", "sub"), [](const auto& test) {
  return *test.param == '\0' ? "OfTheMainInterpreter" : "OfASubInterpreter";
});

constexpr char kHello[] = R"(
    start_response('200 OK', [('X-A', 'b')])
    return [b'hello ', b'world']
)";

TEST_P(Event, ComeInTheOrderOfTheRequest) {
  start(R"(
    seen.append(('called', None))
    class Body:
        def __iter__(self):
            seen.append(('iterated', None))
            yield b'x'
        def close(self):
            seen.append(('closed', None))
    start_response('200 OK', [])
    return Body()
)");
  EXPECT_EQ(request().body(), "x");
  EXPECT_EQ(seen("[event for event, payload in seen]"),
            "['request_started', 'called', 'response_started', 'iterated', 'closed', "
            "'request_finished']");
}

TEST_P(Event, OfTheStartHasWhereTheRequestCameFromAndWhatServesIt) {
  start(kHello);
  request({.environ = {{"mod_wsgi.request_id", "id-1"}, {"mod_wsgi.server_pid", "4711"}}});
  EXPECT_EQ(seen("sorted(named('request_started')[0])"),
            "['application_object', 'application_start', 'callable_object', 'daemon_connects', "
            "'daemon_restarts', 'daemon_start', 'queue_start', 'request_data', 'request_environ', "
            "'request_id', 'request_start', 'server_pid', 'thread_id']");
  EXPECT_EQ(seen("[named('request_started')[0][key] for key in ('request_id', 'server_pid', "
                 "'request_start', 'queue_start', 'daemon_start', 'daemon_connects', "
                 "'daemon_restarts', 'callable_object')]"),
            "['id-1', 4711, 1700000000.0, 0.0, 0.0, 0, 0, 'application']");
  EXPECT_EQ(seen("[named('request_started')[0]['application_object'] is application, "
                 "named('request_started')[0]['thread_id'] >= 1, "
                 "named('request_started')[0]['application_start'] == "
                 "named('request_started')[0]['request_environ']['mod_wsgi.application_start']]"),
            "[True, True, True]");
}

TEST_P(Event, OfARequestWithoutAnIdHasNone) {
  start(kHello);
  request();
  EXPECT_EQ(seen("[event for event, payload in seen if 'request_id' in payload]"), "[]");
}

TEST_P(Event, OfTheStartMayAddToTheEnvironAndPutAnotherApplicationInItsPlace) {
  start(kHello, R"(
def other(environ, start_response):
    start_response('202 Accepted', [])
    return [environ['added'].encode()]
def substitute(event, **payload):
    if event == 'request_started' and not payload['request_environ']['QUERY_STRING']:
        payload['request_environ']['added'] = 'by a subscriber'
        return {'application_object': other}
mod_wsgi.subscribe_events(substitute)
)");
  const Reply reply = request();
  EXPECT_EQ(reply.exchange->status(), 202);
  EXPECT_EQ(reply.body(), "by a subscriber");
  // Who comes behind is told of the other one.
  EXPECT_EQ(seen("named('request_started')[0]['application_object'] is other"), "True");
}

TEST_P(Event, OfAResponseHasWhatStartResponseWasCalledWithAndMayChangeTheHeaders) {
  start(R"(
    try:
        raise ValueError('first')
    except ValueError:
        start_response('200 OK', [('X-A', 'b')])
        start_response('500 Sorry', [], sys.exc_info())
    return [b'']
)",
        R"(
import sys
def add(event, **payload):
    if event == 'response_started':
        payload['response_headers'].append(('X-Added', 'yes'))
mod_wsgi.subscribe_events(add)
)");
  EXPECT_EQ(request().exchange->header("X-Added"), "yes");
  EXPECT_EQ(seen("[(p['response_status'], p['response_headers'], p['exception_info'] and "
                 "p['exception_info'][1]) for p in named('response_started')]"),
            "[('200 OK', [('X-A', 'b'), ('X-Added', 'yes')], None), "
            "('500 Sorry', [('X-Added', 'yes')], ValueError('first'))]");
}

TEST_P(Event, OfAResponseComesBeforeItIsChecked) {
  start(R"(
    try:
        start_response(200, 'no list')
    except TypeError as error:
        start_response('200 OK', [])
        return [str(error).encode()]
)");
  EXPECT_EQ(request().body(), "the response headers must be a list, not str");
  EXPECT_EQ(seen("named('response_started')[0]['response_status']"), "200");
}

TEST_P(Event, OfTheEndHasWhatTheRequestHasTaken) {
  start(R"(
    environ['wsgi.input'].read()
    start_response('201 Created', [('Content-Length', '8')])
    return [b'12345', b'', b'67890']
)");
  request({.environ = {{"mod_wsgi.request_id", "id-2"}}, .body = "a body of 18 bytes"});
  EXPECT_EQ(seen("sorted(named('request_finished')[0])"),
            "['application_finish', 'application_time', 'cpu_system_time', 'cpu_time', "
            "'cpu_user_time', 'daemon_start', 'gil_wait_count', 'gil_wait_time', 'input_length', "
            "'input_reads', 'input_time', 'output_length', 'output_time', 'output_writes', "
            "'queue_start', 'request_data', 'request_id', 'request_start', 'server_pid', "
            "'status', 'thread_id']");
  EXPECT_EQ(seen("[named('request_finished')[0][key] for key in ('status', 'input_reads', "
                 "'input_length', 'output_writes', 'output_length', 'request_id')]"),
            "[201, 1, 18, 2, 10, 'id-2']");
  EXPECT_EQ(seen("[0 <= p['cpu_time'] <= p['application_time'] < 60 and p['gil_wait_count'] >= 2 "
                 "and p['application_finish'] > 1e9 for p in named('request_finished')]"),
            "[True]");
}

TEST_P(Event, OfTheEndCountsTheTimeOfTheApplication) {
  start(R"(
    import time
    time.sleep(0.05)
    start_response('200 OK', [])
    return [b'x']
)");
  request();
  EXPECT_EQ(seen("[p['application_time'] >= 0.05 and p['cpu_time'] < p['application_time'] "
                 "for p in named('request_finished')]"),
            "[True]");
}

TEST_P(Event, OfAFailureComesBehindItsRecordAndBeforeTheEnd) {
  start(R"(
    raise ValueError('of the application')
)");
  const Reply reply = request();
  EXPECT_EQ(reply.refused(), 500);
  EXPECT_EQ(seen("[event for event, payload in seen]"),
            "['request_started', 'request_exception', 'request_finished']");
  EXPECT_EQ(seen("[(p['exception_info'][0] is ValueError, p['exception_info'][1], "
                 "p['exception_info'][2].tb_frame is not None) "
                 "for p in named('request_exception')]"),
            "[(True, ValueError('of the application'), True)]");
  EXPECT_EQ(seen("named('request_finished')[0]['status']"), "500");
}

TEST_P(Event, TellsOfWhatIterationAndCloseRaise) {
  start(R"(
    class Body:
        def __iter__(self):
            yield b'x'
            raise KeyError('in the body')
        def close(self):
            raise OSError('in close')
    start_response('200 OK', [])
    return Body()
)");
  EXPECT_TRUE(request().broken());
  EXPECT_EQ(seen("[p['exception_info'][1] for p in named('request_exception')]"),
            "[KeyError('in the body'), OSError('in close')]");
  EXPECT_EQ(seen("named('request_finished')[0]['status']"), "200");
}

TEST_P(Event, OfOneRequestShareItsData) {
  start(R"(
    data = mod_wsgi.request_data()
    data['of'] = 'the application'
    start_response('200 OK', [])
    return [str(data is mod_wsgi.request_data()).encode()]
)");
  EXPECT_EQ(request().body(), "True");
  EXPECT_EQ(seen("[p['request_data'] for e, p in seen] == [{'of': 'the application'}] * 3"),
            "True");
  EXPECT_EQ(seen("len({id(p['request_data']) for e, p in seen})"), "1");
}

TEST_P(Event, IsPublishedForTheNextCallbackWhateverTheOneBeforeHasRaised) {
  start(kHello, R"(
import sys
def fails(event, **payload):
    if event == 'request_started' and not payload['request_environ']['QUERY_STRING']:
        raise ValueError('of a subscriber')
def exits(event, **payload):
    if event == 'request_started' and not payload['request_environ']['QUERY_STRING']:
        sys.exit('of another')
mod_wsgi.subscribe_events(fails)
mod_wsgi.subscribe_events(exits)
)");
  EXPECT_EQ(request().body(), "hello world");
  EXPECT_EQ(seen("len(named('request_started'))"), "1");
  EXPECT_THAT(server_log().text_of(Message::callback_raised),
              ContainsRegex("callback fails \\(.*app.wsgi:[0-9]+\\) for request_started of .* "
                            "raised an exception\n(.|\n)*ValueError: of a subscriber"));
  EXPECT_THAT(server_log().text_of(Message::callback_exited), HasSubstr("called sys.exit()\n"));
}

TEST_P(Event, SeesWhatAnEarlierCallbackHasReturned) {
  start(kHello, R"(
mod_wsgi.subscribe_events(lambda event, **payload: {'more': event})
)");
  request();
  EXPECT_EQ(seen("[p['more'] for e, p in seen]"),
            "['request_started', 'response_started', 'request_finished']");
}

TEST_P(Event, IsNotPublishedToWhomWasTakenFromTheList) {
  start(kHello);
  EXPECT_EQ(seen("[mod_wsgi.event_callbacks.remove(note), len(mod_wsgi.event_callbacks) > 0][1]"),
            "True");
  request();
  EXPECT_EQ(seen("seen"), "[]");
}

TEST_P(Event, ListIsCopiedSoThatWhatIsAddedMeanwhileWaitsForTheNextEvent) {
  start(kHello, R"(
late = []
def subscribes(event, **payload):
    if event == 'request_started' and not payload['request_environ']['QUERY_STRING']:
        mod_wsgi.event_callbacks.append(lambda event, **payload: late.append(event))
mod_wsgi.subscribe_events(subscribes)
)");
  request();
  EXPECT_EQ(seen("late[:2]"), "['response_started', 'request_finished']");
}

TEST_P(Event, OfAResponseMayComeFromAnotherThread) {
  start(R"(
    outcome = []
    def work():
        start_response('200 OK', [])
        try:
            mod_wsgi.request_data()
        except RuntimeError as error:
            outcome.append(str(error).encode())
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return outcome
)");
  EXPECT_EQ(request().body(), "no application serves a request in this context");
  EXPECT_EQ(seen("len(named('response_started'))"), "1");
}

TEST_P(Event, MayBeSubscribedByADecorator) {
  start(kHello);
  EXPECT_EQ(seen("[mod_wsgi.subscribe_events(f) is f and mod_wsgi.subscribe_shutdown(f) is f and "
                 "mod_wsgi.subscribe_signals(f) is f for f in [lambda *a, **b: None]]"),
            "[True]");
}

TEST_P(Event, OfASignalIsPublishedNowhereButInWorkers) {
  start(R"(
    def told(event, **payload): pass
    mod_wsgi.subscribe_signals(told)
    start_response('200 OK', [])
    return [str(mod_wsgi.signal_callbacks).encode()]
)");
  EXPECT_EQ(request().body(), "[]");
  EXPECT_THAT(server_log().text_of(Message::signals_not_published),
              AllOf(ContainsRegex("no signal is told to <function .*told"),
                    ContainsRegex("app.wsgi\", line [0-9]+, in serve\n +mod_wsgi.subscribe_")));
}

TEST_P(Event, OfARequestThatIsInterruptedIsNoException) {
  start(R"(
    raise mod_wsgi.RequestTimeout()
)");
  EXPECT_EQ(request().refused(), 504);
  EXPECT_EQ(seen("[event for event, payload in seen]"), "['request_started', 'request_finished']");
}

// --- The data of requests ---

TEST_P(Event, DataIsFoundInACopyOfTheContextOnAnotherThread) {
  start(R"(
    import contextvars
    found = []
    context = contextvars.copy_context()
    thread = threading.Thread(target=lambda: found.append(context.run(mod_wsgi.request_data)))
    thread.start()
    thread.join()
    start_response('200 OK', [])
    return [str(found[0] is mod_wsgi.request_data()).encode()]
)");
  EXPECT_EQ(request().body(), "True");
}

TEST_P(Event, DataIsGoneWithTheRequest) {
  start(R"(
    import contextvars
    seen.append(('context', contextvars.copy_context()))
    start_response('200 OK', [])
    return []
)");
  request();
  const Reply reply =
      request({.environ = {{"QUERY_STRING", "named('context')[0].run(mod_wsgi.request_data)"}}});
  EXPECT_THAT(reply.log(),
              HasSubstr("RuntimeError: no application serves a request in this context"));
}

TEST_P(Event, DataIsNotAskedForBeforeThereIsARequest) {
  const Script script(
      "import mod_wsgi\nmod_wsgi.event_callbacks.clear()\n"
      "mod_wsgi.request_data()['at'] = 'the import'\n"
      "def application(environ, start_response):\n"
      "    start_response('200 OK', [])\n"
      "    return [mod_wsgi.request_data()['at'].encode()]\n");
  // The request that has it imported is one.
  EXPECT_EQ(run(script, {}, GetParam()).body(), "the import");
  EXPECT_EQ(run(script, {}, GetParam()).refused(), 500);
}

TEST_P(Event, ActiveRequestsAreKnownByTheirIds) {
  start(R"(
    mod_wsgi.request_data()['mine'] = True
    seen.append(('active', dict(mod_wsgi.active_requests)))
    start_response('200 OK', [])
    return [str(mod_wsgi.active_requests is mod_wsgi.active_requests).encode()]
)");
  EXPECT_EQ(request({.environ = {{"mod_wsgi.request_id", "id-3"}}}).body(), "True");
  EXPECT_EQ(seen("named('active')"), "[{'id-3': {'mine': True}}]");
  EXPECT_EQ(seen("mod_wsgi.active_requests"), "{}");
  request({.environ = {{"mod_wsgi.request_id", "id-4"}}});
  EXPECT_EQ(seen("named('active')[1]"), "{'id-4': {'mine': True}}");
}

TEST_P(Event, ModuleHasNoOtherLateAttributes) {
  start(kHello);
  EXPECT_EQ(seen("hasattr(mod_wsgi, 'no_such_thing')"), "False");
}

}  // namespace
}  // namespace pyhost::test
