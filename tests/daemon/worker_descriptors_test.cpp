// Applications that close descriptors of their worker.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include "control/worker_descriptors.h"
#include "daemon/worker_fixture.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using gateway::Outcome;
using ::testing::HasSubstr;

// Closes the descriptors that X-Close names: their numbers, or what they lead to.
constexpr std::string_view kCloses = R"(
import os

def numbers(what):
    if what.isdecimal():
        return [int(what)]
    if what == 'all':
        return range(3, 1000)
    found = []
    for number in os.listdir('/proc/self/fd'):
        try:
            if what in os.readlink('/proc/self/fd/' + number):
                found.append(int(number))
        except OSError:
            pass
    return found

def application(environ, start_response):
    for number in numbers(environ['HTTP_X_CLOSE']):
        try:
            os.close(number)
        except OSError:
            pass
    start_response('200 OK', [])
    return [b'closed']
)";

class WorkerDescriptors : public WorkerProcess {
 protected:
  Outcome close(std::string what) {
    FakeExchange exchange({.environ = {{"HTTP_X_CLOSE", std::move(what)}}});
    return run(path_, exchange);
  }
  // One record, and the code that says so.
  void expect_end() {
    const int status = wait_for_end();
    ASSERT_TRUE(WIFEXITED(status)) << log();
    EXPECT_EQ(WEXITSTATUS(status), scoreboard::kWorkerExitBroken) << log();
    EXPECT_EQ(count(log(), "PH0487: worker 0 of process group 'blog' ends: its "), 1) << log();
  }

  std::string path_ = script("closes.wsgi", kCloses);
};

TEST_F(WorkerDescriptors, AreMissedAtOnceWhenAllAreClosed) {
  spawn_and_wait();
  std::jthread client([this] { close("all"); });
  expect_end();
  scoreboard_->record_death(0, {.cause = scoreboard::DeathCause::exited,
                                .detail = scoreboard::kWorkerExitBroken,
                                .generation = 1});
}

TEST_F(WorkerDescriptors, AreMissedWhenTheEpollSetIsClosed) {
  spawn_and_wait();
  std::jthread client([this] { close("eventpoll"); });
  expect_end();
  EXPECT_THAT(log(), HasSubstr("its epoll set is closed"));
  scoreboard_->record_death(0, {.cause = scoreboard::DeathCause::exited, .generation = 1});
}

// Nobody needs it before.
TEST_F(WorkerDescriptors, AreMissedWhenSomebodyConnectsToTheClosedListeningSocket) {
  spawn_and_wait();
  EXPECT_EQ(close(std::to_string(control::kWorkerListeningFd)).kind, Outcome::Kind::complete);
  EXPECT_EQ(close("0").kind, Outcome::Kind::complete);
  const wire::Connection another = connect_to(0);
  expect_end();
  EXPECT_THAT(log(), HasSubstr("its listening socket is closed"));
}

TEST_F(WorkerDescriptors, AreMissedWhenAFileHasTheNumberOfTheListeningSocket) {
  path_ = script("replaces.wsgi", R"(
import os
def application(environ, start_response):
    os.dup2(os.open('/dev/null', os.O_RDONLY), 3)
    start_response('200 OK', [])
    return [b'replaced']
)");
  spawn_and_wait();
  EXPECT_EQ(close("").kind, Outcome::Kind::complete);
  const wire::Connection another = connect_to(0);
  expect_end();
}

TEST_F(WorkerDescriptors, AreMissedByTheMainThread) {
  spawn_and_wait();
  EXPECT_EQ(close(std::to_string(control::kWorkerStatusFd)).kind, Outcome::Kind::complete);
  kill(pid_, SIGTERM);
  expect_end();
}

TEST_F(WorkerDescriptors, AreMissedWhenAScriptClosesThemAtItsImport) {
  worker_.settings.preloads = {
      {.script = script("daemon.wsgi", "import os\nos.closerange(3, 1000)\n")}};
  spawn();
  expect_end();
}

}  // namespace
}  // namespace pyhost::test
