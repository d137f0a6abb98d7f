// Interpreters with locks of their own. With a CPython that has none (up to 3.11) the requests are
// served all the same, and what needs the locks is skipped.

#include <gmock/gmock.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "engine/engine_fixture.h"
#include "engine/local_engine.h"
#include "python/compat.h"

namespace pyhost::test {

gateway::EngineSettings engine_settings() {
  gateway::InterpreterOptions shared{.application_group = "shared"};
  shared.own_lock = false;
  return {.own_lock = true, .interpreters = {shared}};
}

namespace {

using namespace std::chrono_literals;
using base::Message;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

#define NEEDS_OWN_LOCKS() \
  if (!python::kHasOwnLocks) GTEST_SKIP() << "CPython " PY_VERSION " has one lock for all"

// Figures are the process's, events each interpreter's own.
TEST(OwnLock, LeavesFiguresWholeAndEventsApart) {
  const Script script(R"(
import mod_wsgi
mod_wsgi.start_recording_metrics()
events = []
@mod_wsgi.subscribe_events
def note(event, **payload):
    events.append(event)
    payload['request_data']['count'] = len(events)
def application(environ, start_response):
    start_response('200 OK', [])
    if environ['PATH_INFO'] == '/count':
        return [str(mod_wsgi.process_metrics()['request_count']).encode()]
    return [f"{len(events)} {mod_wsgi.request_data()['count']}".encode()]
)");
  constexpr int kRequests = 50;
  const auto count = [&script] {
    return std::stoi(run(script, {.environ = {{"PATH_INFO", "/count"}}}, "one").body());
  };
  const int before = count();
  std::vector<std::thread> threads;
  for (const char* group : {"two", "three", "shared", ""}) {
    threads.emplace_back([&script, group] {
      for (int i = 0; i < kRequests; ++i) {
        const int seen = 3 * i + 2;
        EXPECT_EQ(run(script, {}, group).body(), std::to_string(seen) + " " + std::to_string(seen));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count(), before + 1 + 4 * kRequests);
}

TEST(OwnLock, IsNoneOfTheApplicationsBusiness) {
  const Script script(R"(
import threading
seen = []
def application(environ, start_response):
    thread = threading.Thread(target=seen.append, args=(environ['PATH_INFO'],))
    thread.start()
    thread.join()
    print('seen', len(seen), file=environ['wsgi.errors'])
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b''.join(path.encode() for path in seen)]
)");
  std::vector<std::thread> threads;
  for (const char* group : {"", "one", "two", "shared"}) {
    threads.emplace_back([&script, group] {
      for (int i = 0; i < 20; ++i) {
        const Reply reply = run(script, {.environ = {{"PATH_INFO", "/x"}}}, group);
        EXPECT_TRUE(reply.complete()) << reply.log();
      }
      EXPECT_EQ(run(script, {.environ = {{"PATH_INFO", "/y"}}}, group).body().size(), 42u) << group;
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// A request keeps the lock of its interpreter until one of the other interpreter has been served,
// which is never where both have the same lock.
TEST(OwnLock, LetsGroupsRunAtTheSameTime) {
  NEEDS_OWN_LOCKS();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Script waiting(R"(
import ctypes
def application(environ, start_response):
    with_the_lock = ctypes.PyDLL(None)
    byte = ctypes.create_string_buffer(1)
    got = with_the_lock.read(int(environ['QUERY_STRING']), byte, 1)
    start_response('200 OK', [])
    return [byte.raw[:got]]
)");
  const Script quick(R"(
import os
def application(environ, start_response):
    os.write(int(environ['QUERY_STRING']), b'!')
    start_response('200 OK', [])
    return []
)");
  ASSERT_TRUE(run_source("import ctypes\ndef application(environ, start_response):\n"
                         "    start_response('200 OK', [])\n    return []\n",
                         {}, "waiting")
                  .complete());
  std::string answer;
  std::thread request([&] {
    answer =
        run(waiting, {.environ = {{"QUERY_STRING", std::to_string(ends[0])}}}, "waiting").body();
  });
  EXPECT_TRUE(
      run(quick, {.environ = {{"QUERY_STRING", std::to_string(ends[1])}}}, "quick").complete());
  request.join();
  EXPECT_EQ(answer, "!");
  ::close(ends[0]);
  ::close(ends[1]);
}

// faulthandler keeps its state in variables of the process, and says so.
TEST(OwnLock, RefusesExtensionsThatCannotWorkWithItAndSaysWhatToDo) {
  NEEDS_OWN_LOCKS();
  const std::string source =
      "import faulthandler\ndef application(environ, start_response):\n"
      "    start_response('200 OK', [])\n    return []\n";
  const Reply reply = run_source(source, {}, "refused");
  EXPECT_EQ(reply.refused(), 500);
  EXPECT_THAT(reply.exchange->recorder().text_of(Message::subinterpreter_import),
              HasSubstr("does not work in a sub-interpreter with a lock of its own; set "
                        "WSGIPerInterpreterGIL Off or WSGIApplicationGroup %{GLOBAL} for it"));
  EXPECT_TRUE(run_source(source, {}, "shared").complete());
}

[[noreturn]] void run_and_stop() {
  LogRecorder& log = *new LogRecorder;
  const Script script(R"(
import atexit, mod_wsgi, threading
def farewell():
    print('farewell of', mod_wsgi.application_group or 'main')
atexit.register(farewell)
def work():
    while True:
        pass
def application(environ, start_response):
    threading.Thread(target=work, daemon=True).start()
    start_response('200 OK', [])
    return []
)");
  auto engine = engine::LocalEngine::open({.own_lock = true}, log);
  for (const char* group : {"", "one", "two"}) {
    FakeExchange exchange;
    (*engine)->run({.application_group = group, .script = script.path()}, exchange);
    std::cerr << exchange.recorder().text_of(Message::application_raised);
  }
  (*engine)->announce_stop("of the test");
  (*engine)->stop(30s);
  engine->reset();
  std::cerr << log.text() << "\nstopped" << std::endl;
  leave_process();
}

// Daemon threads compute when it stops: each lock has to be taken away from them.
TEST(OwnLock, IsTakenAwayFromThreadsThatAreLeftBehind) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(run_and_stop(), ::testing::ExitedWithCode(0),
              AllOf(HasSubstr("farewell of main"), HasSubstr("farewell of one"),
                    HasSubstr("farewell of two"), ContainsRegex("stopped\n"),
                    Not(HasSubstr("was not given up"))));
}

}  // namespace
}  // namespace pyhost::test
