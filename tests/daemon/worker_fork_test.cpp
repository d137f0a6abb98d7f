// Applications that fork, with a real CPython inside; the test is the supervisor.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "base/parse.h"
#include "daemon/worker_fixture.h"
#include "harness/process.h"

namespace pyhost::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class WorkerOfForks : public WorkerProcess {
 protected:
  std::string body_of(const std::string& path) {
    FakeExchange exchange;
    run(path, exchange);
    return exchange.body();
  }
};

TEST_F(WorkerOfForks, AnswersNothingTwiceAndServesNothingInTheCopy) {
  const std::string site = script("site.wsgi", R"(
import os, sys
ways = [lambda: sys.exit(3), lambda: sys.exit(), lambda: 1 / 0, lambda: [b'copy'], lambda: None]
def application(environ, start_response):
    codes = []
    for way in ways:
        pid = os.fork()
        start_response('200 OK', []) if pid == 0 else None
        if pid == 0:
            return way()
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    start_response('200 OK', [])
    return [str(codes).encode()]
)");
  const std::string generator = script("generator.wsgi", R"(
import os
def application(environ, start_response):
    start_response('200 OK', [])
    yield b'one '
    if os.fork() == 0:
        yield b'copy '
    os.wait()
    yield b'two'
)");
  spawn_and_wait();
  EXPECT_EQ(body_of(site), "[3, 0, 1, 0, 0]");
  EXPECT_EQ(body_of(generator), "one two");
  EXPECT_THAT(log(), HasSubstr("ZeroDivisionError"));
  EXPECT_THAT(log(), Not(HasSubstr("SystemExit")));
}

TEST_F(WorkerOfForks, LogsWhatTheCopyPrintsButNotToTheRequest) {
  const std::string site = script("site.wsgi", R"(
import os
def application(environ, start_response):
    start_response('200 OK', [])
    print('from the worker')
    if os.fork() == 0:
        print('from the copy')
        os._exit(0)
    os.wait()
    return [b'reply']
)");
  spawn_and_wait();
  FakeExchange exchange;
  run(site, exchange);
  EXPECT_EQ(exchange.body(), "reply");
  EXPECT_THAT(exchange.recorder().text_of(base::Message::none), HasSubstr("from the worker"));
  EXPECT_THAT(exchange.recorder().text_of(base::Message::none), Not(HasSubstr("from the copy")));
  EXPECT_THAT(log(), HasSubstr("from the copy"));
}

TEST_F(WorkerOfForks, IsMissedAlthoughACopyLivesOn) {
  const std::string held = script("held.wsgi", R"(
import os, time
def application(environ, start_response):
    pid = os.fork()
    while pid == 0:
        time.sleep(1)
    start_response('200 OK', [])
    return [str(pid).encode()]
)");
  const std::string entered = folder_.path() + "/entered";
  const std::string busy = script("busy.wsgi", fmt::format(R"(
import time
def application(environ, start_response):
    open('{}', 'w').close()
    time.sleep(3600)
)",
                                                           entered));
  spawn_and_wait();
  const auto copy = base::parse_unsigned(body_of(held));
  ASSERT_TRUE(copy);
  FakeExchange exchange;
  std::thread client([&] { EXPECT_EQ(run(busy, exchange).status, 502); });
  EXPECT_TRUE(wait_until([&] { return ::access(entered.c_str(), F_OK) == 0; }));
  ::kill(pid_, SIGKILL);
  wait_for_end();
  client.join();
  ::kill(static_cast<pid_t>(*copy), SIGKILL);
}

}  // namespace
}  // namespace pyhost::test
