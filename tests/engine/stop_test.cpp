// The end of an engine. Each test is a process of its own: an engine ends once.

#include <gmock/gmock.h>

#include <chrono>
#include <iostream>

#include "engine/engine_fixture.h"
#include "engine/local_engine.h"

namespace pyhost::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class Stop : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// Runs the script in the main interpreter and in a sub-interpreter, stops the engine and leaves the
// process with what was logged on standard error.
[[noreturn]] void run_and_stop(std::string_view source, std::chrono::milliseconds budget,
                               bool destroy_interpreters = true) {
  LogRecorder& log = *new LogRecorder;
  const Script script(source);
  auto engine = engine::LocalEngine::open({.destroy_interpreters = destroy_interpreters}, log);
  for (const char* group : {"", "sub"}) {
    FakeExchange exchange;
    (*engine)->run({.application_group = group, .script = script.path()}, exchange);
    std::cerr << exchange.recorder().text_of(base::Message::application_raised);
  }
  (*engine)->announce_stop("of the test");
  (*engine)->stop(budget);
  engine->reset();
  for (const LogRecord& record : log.records()) {
    if (is_notable(record)) std::cerr << record.text << "\n";
  }
  std::cerr << "stopped" << std::endl;
  leave_process();
}

constexpr char kAtExit[] = R"(
import atexit, mod_wsgi, threading
def farewell():
    print('farewell of', mod_wsgi.application_group or 'main')
atexit.register(farewell)
def work():
    threading.main_thread().join(0.05)
    print('thread of', mod_wsgi.application_group or 'main')
def application(environ, start_response):
    threading.Thread(target=work, daemon=False).start()
    start_response('200 OK', [])
    return []
)";

TEST_F(Stop, JoinsThreadsAndRunsExitFunctionsInEveryInterpreter) {
  EXPECT_EXIT(run_and_stop(kAtExit, 30s), ::testing::ExitedWithCode(0),
              AllOf(ContainsRegex("thread of sub\n(.|\n)*farewell of sub\n(.|\n)*stopped"),
                    ContainsRegex("thread of main\n(.|\n)*farewell of main\n(.|\n)*stopped")));
}

TEST_F(Stop, SkipsThemWhenInterpretersAreNotDestroyed) {
  EXPECT_EXIT(run_and_stop(kAtExit, 30s, false), ::testing::ExitedWithCode(0),
              AllOf(HasSubstr("stopped"), Not(HasSubstr("farewell"))));
}

TEST_F(Stop, GivesUpOnAThreadThatNeverEndsAndNamesIt) {
  EXPECT_EXIT(run_and_stop(R"(
import threading
def application(environ, start_response):
    threading.Thread(target=threading.Event().wait, name='endless', daemon=False).start()
    start_response('200 OK', [])
    return []
)",
                           2s),
              ::testing::ExitedWithCode(0),
              "Python was left running after 2000 ms: threads of sub-interpreter 'sub' have not "
              "ended: endless; threads of the main interpreter have not ended: endless\nstopped");
}

TEST_F(Stop, GivesUpOnAnExitFunctionThatHangs) {
  EXPECT_EXIT(run_and_stop(R"(
import atexit, time
atexit.register(time.sleep, 3600)
def application(environ, start_response):
    start_response('200 OK', [])
    return []
)",
                           2s),
              ::testing::ExitedWithCode(0),
              "atexit functions of sub-interpreter 'sub' are running; "
              "atexit functions of the main interpreter are running\nstopped");
}

TEST_F(Stop, OfAnInterpreterDoesNotWaitForAnother) {
  constexpr char kSource[] = R"(
import atexit, mod_wsgi, time
if mod_wsgi.application_group == HANGING:
    atexit.register(time.sleep, 3600)
else:
    atexit.register(print, 'farewell')
def application(environ, start_response):
    start_response('200 OK', [])
    return []
)";
  const auto source = [&](std::string_view hanging) {
    return "HANGING = '" + std::string(hanging) + "'" + kSource;
  };
  EXPECT_EXIT(run_and_stop(source("sub"), 4s), ::testing::ExitedWithCode(0),
              "farewell\n.*: atexit functions of sub-interpreter 'sub' are running\nstopped");
  EXPECT_EXIT(run_and_stop(source(""), 4s), ::testing::ExitedWithCode(0),
              "farewell\n.*: atexit functions of the main interpreter are running\nstopped");
}

TEST_F(Stop, GivesUpOnALockThatIsNotGivenBack) {
  EXPECT_EXIT(run_and_stop(R"(
import ctypes, threading
def application(environ, start_response):
    # A call through PyDLL keeps the lock.
    threading._register_atexit(ctypes.PyDLL(None).sleep, 3600)
    start_response('200 OK', [])
    return []
)",
                           2s),
              ::testing::ExitedWithCode(0), "Python was left running after 2000 ms.*stopped");
}

// --- Shutdown callbacks ---

TEST_F(Stop, CallsWhatIsSubscribedOnceInEveryInterpreterAndBeforeThreadsAreJoined) {
  EXPECT_EXIT(
      run_and_stop(R"(
import atexit, mod_wsgi, threading
name = mod_wsgi.application_group or 'main'
stopping = threading.Event()
def work():
    stopping.wait()
    print('thread of', name)
@mod_wsgi.subscribe_shutdown
def stop(*args, **payload):
    print(name, args, payload, threading.current_thread() is threading.main_thread())
    stopping.set()
atexit.register(print, 'atexit of', name)
def application(environ, start_response):
    threading.Thread(target=work, daemon=False).start()
    start_response('200 OK', [])
    return []
)",
                   30s),
      ::testing::ExitedWithCode(0),
      AllOf(ContainsRegex("sub \\('process_stopping',\\) \\{'shutdown_reason': 'of the test'\\} "
                          "True\n(.|\n)*thread of sub\n(.|\n)*atexit of sub\n"),
            ContainsRegex("main \\('process_stopping',\\) \\{'shutdown_reason': 'of the test'\\} "
                          "True\n(.|\n)*thread of main\n(.|\n)*atexit of main\n"),
            Not(ContainsRegex("sub \\((.|\n)*sub \\(")),
            Not(ContainsRegex("main \\((.|\n)*main \\("))));
}

constexpr char kSubscribers[] = R"(
import mod_wsgi, sys
def application(environ, start_response):
    start_response('200 OK', [])
    return []
if not mod_wsgi.application_group:
    def first(event, shutdown_reason):
        mod_wsgi.subscribe_shutdown(print)
        return {'shutdown_reason': 'of the first', 'more': 1}
    def second(event, **payload):
        raise ValueError('in the second')
    class Third:
        def __call__(self, event, **payload):
            sys.exit('in the third')
        def __repr__(self):
            return 'a Third'
    def fourth(event, **payload):
        print(event, payload)
        return {1: 2}
    def fifth(event, **payload):
        print('fifth')
    for each in first, second, Third(), fourth:
        assert mod_wsgi.subscribe_shutdown(each) is each
    assert len(mod_wsgi.shutdown_callbacks) == 4
    mod_wsgi.shutdown_callbacks.insert(0, fifth)
)";

TEST_F(Stop, CallsEverySubscriberInOrderWhateverTheOthersDo) {
  EXPECT_EXIT(
      run_and_stop(kSubscribers, 30s), ::testing::ExitedWithCode(0),
      ContainsRegex(
          "fifth\n"
          "callback second \\([^ ]*app.wsgi:10\\) for process_stopping of the main interpreter "
          "raised "
          "an exception\n(.|\n)*ValueError: in the second\n"
          "callback a Third for process_stopping of the main interpreter called sys.exit\\(\\)\n"
          "(.|\n)*SystemExit: in the third\n"
          "process_stopping \\{'shutdown_reason': 'of the first', 'more': 1\\}\n"
          "stopped"));
}

TEST_F(Stop, NamesACallbackThatHangsAndEndsOtherInterpreters) {
  EXPECT_EXIT(
      run_and_stop(R"(
import atexit, mod_wsgi, time
def hang(event, **payload):
    time.sleep(3600)
if mod_wsgi.application_group:
    mod_wsgi.subscribe_shutdown(hang)
atexit.register(print, 'farewell')
def application(environ, start_response):
    start_response('200 OK', [])
    return []
)",
                   4s),
      ::testing::ExitedWithCode(0),
      "farewell\nPython was left running after 4000 ms: "
      "shutdown callback hang \\([^ ]*app.wsgi:3\\) of sub-interpreter 'sub' is running\nstopped");
}

TEST_F(Stop, LogsThatTheListOfCallbacksIsMissing) {
  EXPECT_EXIT(
      run_and_stop(R"(
import mod_wsgi, sys
if mod_wsgi.application_group:
    del sys.modules['mod_wsgi']
else:
    del mod_wsgi.shutdown_callbacks
def application(environ, start_response):
    start_response('200 OK', [])
    return []
)",
                   30s),
      ::testing::ExitedWithCode(0),
      AllOf(HasSubstr("process_stopping is not published in sub-interpreter 'sub': there is "
                      "no module mod_wsgi in sys.modules"),
            HasSubstr("process_stopping is not published in the main interpreter: "
                      "mod_wsgi.shutdown_callbacks does not exist")));
}

TEST_F(Stop, LogsAnExitFunctionThatRaises) {
  EXPECT_EXIT(run_and_stop(R"(
import threading
def application(environ, start_response):
    def fail():
        raise ValueError('at the end')
    threading._register_atexit(fail)
    start_response('200 OK', [])
    return []
)",
                           30s),
              ::testing::ExitedWithCode(0), "ending the main interpreter.*ValueError: at the end");
}

TEST_F(Stop, LeavesDaemonThreadsBehind) {
  EXPECT_EXIT(run_and_stop(R"(
import threading
def spin():
    while True:
        pass
def application(environ, start_response):
    threading.Thread(target=spin, daemon=True).start()
    start_response('200 OK', [])
    return []
)",
                           30s),
              ::testing::ExitedWithCode(0), "^stopped");
}

}  // namespace

gateway::EngineSettings engine_settings() {
  return {};
}

}  // namespace pyhost::test
