// Interpreters, threads, and the traps of CPython.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <latch>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine_fixture.h"

namespace pyhost::test {
namespace {

using base::Message;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(ApplicationGroup, HasItsOwnModules) {
  const Script script(R"(
import sys
def application(environ, start_response):
    start_response('200 OK', [])
    seen = vars(sys)
    seen[__file__] = seen.get(__file__, 0) + 1
    return [str(seen[__file__]).encode()]
)");
  EXPECT_EQ(run(script, {}, "one").body(), "1");
  EXPECT_EQ(run(script, {}, "two").body(), "1");
  EXPECT_EQ(run(script, {}, "one").body(), "2");
}

TEST(ApplicationGroup, IsMadeOnceUnderAStampedeOfFirstRequests) {
  const Script script(R"(
import sys
sys.token = object()
def application(environ, start_response):
    start_response('200 OK', [])
    return [str(id(sys.token)).encode()]
)");
  constexpr int kGroups = 20;
  constexpr int kThreads = 4;
  std::latch start(kGroups * kThreads);
  std::vector<std::string> tokens(kGroups * kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kGroups * kThreads; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      tokens[i] = run(script, {}, script.path() + std::to_string(i % kGroups)).body();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kGroups * kThreads; ++i) {
    EXPECT_FALSE(tokens[i].empty());
    EXPECT_EQ(tokens[i], tokens[i % kGroups]);
  }
}

TEST(ApplicationGroup, AnswersManyThreadsWithoutMixingReplies) {
  const Script script(R"(
import mod_wsgi
def application(environ, start_response):
    body = environ['wsgi.input'].read()
    start_response('200 OK', [('X-Id', environ['HTTP_X_ID'])])
    return [mod_wsgi.application_group.encode(), b' ', environ['HTTP_X_ID'].encode(), b' ', body]
)");
  constexpr int kGroups = 8;
  constexpr int kThreads = 64;
  const int requests = 2000 / (engine_is_sanitized() ? 20 : 1);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const std::string group = "many " + std::to_string(t % kGroups);
      for (int i = 0; i < requests; ++i) {
        const std::string id = std::to_string(t) + "." + std::to_string(i);
        const Reply reply = run(script, {.environ = {{"HTTP_X_ID", id}}, .body = "b" + id}, group);
        if (!reply.complete() || reply.body() != group + " " + id + " b" + id ||
            reply.exchange->header("X-Id") != id) {
          ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(ContextVars, StartFreshWithEachRequest) {
  const Script script(R"(
import contextvars, decimal
var = contextvars.ContextVar('var', default='unset')
def application(environ, start_response):
    seen = var.get()
    var.set('left behind')
    start_response('200 OK', [])
    yield seen.encode()
    yield var.get().encode()
)");
  EXPECT_EQ(run(script).body(), "unsetleft behind");
  EXPECT_EQ(run(script).body(), "unsetleft behind");
}

TEST(ThreadLocals, SurviveOnTheThread) {
  const Script script(R"(
import threading
local = threading.local()
def application(environ, start_response):
    local.count = getattr(local, 'count', 0) + 1
    start_response('200 OK', [])
    return [str(local.count).encode()]
)");
  EXPECT_EQ(run(script).body(), "1");
  EXPECT_EQ(run(script).body(), "2");
}

TEST(Fork, IsRefusedWhileSubInterpretersLive) {
  run_source("def application(e, s):\n    s('200 OK', [])\n    return []\n", {}, "alive");
  constexpr char kSource[] = R"(
import multiprocessing, os, subprocess, sys
def application(environ, start_response):
    for fork, text in ((os.fork, 'WSGIApplicationGroup %{GLOBAL}'), (os.forkpty, ''),
                       (multiprocessing.get_context('fork').Process(target=print).start,
                        'WSGIApplicationGroup %{GLOBAL}')):
        try:
            fork()
        except RuntimeError as error:
            assert text in str(error), error
        else:
            os._exit(1)
    start_response('200 OK', [])
    return [subprocess.run(['echo', 'works'], capture_output=True).stdout, sys.executable.encode()]
)";
  for (const char* group : {"", "alive"}) {
    const Reply reply = run_source(kSource, {}, group);
    EXPECT_THAT(reply.body(), AllOf(HasSubstr("works\n"), HasSubstr("python3"))) << reply.log();
  }
}

// SQLite calls back through PyGILState_Ensure(), as numpy, lxml and Cython do.
TEST(Threads, CallBackIntoTheInterpreterThatTheyServe) {
  const Script script(R"(
import sqlite3
def group():
    import mod_wsgi
    return mod_wsgi.application_group
def application(environ, start_response):
    database = sqlite3.connect(':memory:')
    # The second call lets go of the first function, in another callback.
    database.create_function('application_group', 0, len)
    database.create_function('application_group', 0, group)
    start_response('200 OK', [])
    return [database.execute('select application_group()').fetchone()[0].encode()]
)");
  for (const char* group : {"called one", "called two", "called one", ""}) {
    EXPECT_EQ(run(script, {}, group).body(), group);
  }
}

TEST(Threads, HaveStatesWithIdsThatAreUniqueInTheProcess) {
  const Script script(R"(
import ctypes, threading
python = ctypes.pythonapi
python.PyThreadState_Get.restype = ctypes.c_void_p
python.PyThreadState_GetID.argtypes = [ctypes.c_void_p]
python.PyThreadState_GetID.restype = ctypes.c_uint64
def application(environ, start_response):
    ids = []
    def note():
        ids.append(python.PyThreadState_GetID(python.PyThreadState_Get()))
    threads = [threading.Thread(target=note, daemon=daemon) for daemon in (True, False)]
    for thread in threads:
        thread.start()
        thread.join()
    note()
    start_response('200 OK', [])
    return [' '.join(map(str, ids)).encode()]
)");
  const std::vector<std::string> groups = {"", "counted one", "counted two", "counted three"};
  constexpr std::size_t kThreads = 8;
  std::vector<std::string> replies(kThreads * groups.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        for (std::size_t g = 0; g < groups.size(); ++g) {
          replies[i * groups.size() + g] = run(script, {}, groups[g]).body();
        }
      });
    }
  }
  std::multiset<std::string> ids;
  for (const std::string& reply : replies) {
    std::istringstream words(reply);
    ids.insert(std::istream_iterator<std::string>(words), {});
  }
  EXPECT_EQ(ids.size(), 3 * replies.size());
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
}

TEST(Fork, ByAPreexecFunctionIsRefusedToo) {
  const Script script(R"(
import os, subprocess
def application(environ, start_response):
    start_response('200 OK', [])
    subprocess.check_call(['true'])
    try:
        subprocess.check_call(['true'], preexec_fn=os.setsid)
    except (RuntimeError, subprocess.SubprocessError) as error:
        return [str(error).encode()]
    return [b'it ran']
)");
  EXPECT_TRUE(run(script, {}, "a sub-interpreter").complete());
  EXPECT_THAT(run(script).body(), HasSubstr("preexec_fn would hang"));
}

TEST(Asyncio, KeepsTheLoopsOfInterpretersApart) {
  const Script script(R"(
import asyncio, mod_wsgi, sys
def application(environ, start_response):
    may_share = mod_wsgi.application_group == '' or sys.version_info >= (3, 12)
    assert (asyncio.Task.__module__ == '_asyncio') == may_share
    start_response('200 OK', [])
    return [asyncio.run(asyncio.sleep(0, b'ran'))]
)");
  EXPECT_EQ(run(script, {}, "a loop").body(), "ran");
  EXPECT_EQ(run(script).body(), "ran");
}

TEST(Lock, OfOneBusyInterpreterDoesNotStarveAnother) {
  // The loop never blocks by itself: only the watch makes it give way.
  const Script spinner(R"(
import ctypes
flag = ctypes.c_int.from_address(int(open(__file__ + '.address').read()))
started = ctypes.c_int.from_address(int(open(__file__ + '.started').read()))
def application(environ, start_response):
    started.value = 1
    while not flag.value:
        pass
    start_response('200 OK', [])
    return [b'spun']
)");
  std::atomic<int> flag = 0;
  std::atomic<int> started = 0;
  std::ofstream(spinner.path() + ".address") << reinterpret_cast<std::uintptr_t>(&flag);
  std::ofstream(spinner.path() + ".started") << reinterpret_cast<std::uintptr_t>(&started);
  const Script quick("def application(e, s):\n    s('200 OK', [])\n    return [b'quick']\n");
  EXPECT_EQ(run(quick, {}, "quick").body(), "quick");

  Reply spun;
  std::thread thread([&] { spun = run(spinner, {}, "spinner"); });
  while (started == 0) std::this_thread::yield();
  // Without the watch this would wait until the spinner ends, which waits for this.
  EXPECT_EQ(run(quick, {}, "quick").body(), "quick");
  EXPECT_EQ(run(quick).body(), "quick");
  flag = 1;
  thread.join();
  EXPECT_EQ(spun.body(), "spun");
}

TEST(Threads, OfTheApplicationMayUseTheRequestsObjects) {
  const Reply reply = run_source(R"(
import threading
def application(environ, start_response):
    result = []
    def work():
        result.append(environ['wsgi.input'].read())
        write = start_response('200 OK', [])
        write(b'written ')
        environ['wsgi.errors'].write('logged\n')
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return result
)",
                                 {.body = "body"});
  EXPECT_TRUE(reply.complete()) << reply.log();
  EXPECT_EQ(reply.body(), "written body");
  EXPECT_EQ(reply.log(), "logged\n");
}

TEST(Threads, ThatStillReadWhenTheRequestEndsAreWaitedFor) {
  std::latch hold(1);
  const Script script(R"(
import threading
def application(environ, start_response):
    entered = threading.Event()
    def work():
        entered.set()
        try:
            environ['wsgi.input'].read()
        except RuntimeError:
            pass
    threading.Thread(target=work).start()
    entered.wait()
    start_response('200 OK', [])
    return [b'done']
)");
  Reply reply;
  std::thread thread([&] { reply = run(script, {.body = "x", .hold_reads = &hold}); });
  hold.count_down();
  thread.join();
  EXPECT_EQ(reply.body(), "done");
}

TEST(EnvironmentVariables, ThatAnApplicationSetsAreNotThoseOfAnotherOne) {
  const Script script(R"(
import os, subprocess
ours = '1' + __file__
def application(environ, start_response):
    before = os.environ.get(ours), os.environb.get(b'HOME')
    os.environ[ours] = 'set'
    os.environ.pop('HOME', None)
    child = subprocess.check_output(['/usr/bin/env'], text=True)
    start_response('200 OK', [])
    return [repr((*before, f'{ours}=set\n' in child, '\nHOME=' in child)).encode()]
)");
  const char* const home = std::getenv("HOME");
  const std::string expected = home != nullptr ? fmt::format("(None, b'{}', True, False)", home)
                                               : std::string("(None, None, True, False)");
  for (const char* group : {"environment one", "environment two", "", "environment three"}) {
    EXPECT_EQ(run(script, {}, group).body(), expected) << group;
  }
  EXPECT_THAT(run(script, {}, "environment one").body(), HasSubstr("('set', None"));
}

TEST(Signals, AreNotTaken) {
  const Reply reply = run_source(R"(
import signal
def application(environ, start_response):
    handler = lambda *_: None
    assert signal.signal(signal.SIGTERM, handler) is handler
    start_response('200 OK', [])
    return [repr(signal.getsignal(signal.SIGTERM) is handler).encode()]
)");
  EXPECT_EQ(reply.body(), "False") << reply.log();
  EXPECT_THAT(server_log().text_of(Message::signal_ignored),
              AllOf(HasSubstr("signal 15"), HasSubstr("in application")));
}

}  // namespace
}  // namespace pyhost::test
