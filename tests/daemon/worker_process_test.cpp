// pyhost-worker as the supervisor starts it, with a real CPython inside.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "control/worker_orders.h"
#include "daemon/worker_fixture.h"
#include "harness/process.h"

namespace pyhost::test {
namespace {

using gateway::Outcome;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

// signal.signal() is ignored, and the application does not know that.
TEST_F(WorkerProcess, DoesNotDieOfATimerOfTheApplication) {
  const std::string site = script("timer.wsgi", R"(
import os, signal
def application(environ, start_response):
    for number in (signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF):
        os.kill(os.getpid(), number)
    start_response('200 OK', [])
    return [b'lives']
)");
  spawn_and_wait();
  FakeExchange exchange;
  run(site, exchange);
  EXPECT_EQ(exchange.body(), "lives");
}

TEST_F(WorkerProcess, ServesAWsgiApplication) {
  const std::string hello = script("hello.wsgi", kHello);
  worker_.settings.preloads = {{.application_group = "", .script = hello}};
  spawn_and_wait();
  FakeExchange exchange;
  EXPECT_EQ(run(hello, exchange).kind, Outcome::Kind::complete);
  EXPECT_EQ(exchange.status(), 200);
  EXPECT_EQ(exchange.body(), "hello blog");
  EXPECT_EQ(exchange.parts().size(), 1u);
  EXPECT_TRUE(wait_until([&] { return scoreboard_->status(0).requests == 1; }));
}

TEST_F(WorkerProcess, AnswersAnExceptionWith500AndItsTraceback) {
  const std::string broken =
      script("broken.wsgi", "def application(environ, start_response):\n    raise KeyError('x')\n");
  spawn_and_wait();
  FakeExchange exchange;
  EXPECT_EQ(run(broken, exchange).status, 500);
  EXPECT_THAT(exchange.recorder().text_of(base::Message::application_raised),
              HasSubstr("KeyError"));
}

TEST_F(WorkerProcess, SaysWhyItCannotStart) {
  worker_.settings.plugin = "/nonexistent/plugin.so";
  spawn();
  std::string last, line;
  while (!(line = next_status()).empty()) last = line;
  EXPECT_THAT(last, HasSubstr(R"({"failed":"/nonexistent/plugin.so cannot be loaded)"));
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 1");
  EXPECT_EQ(log(), "") << "whoever is told says so";
}

TEST_F(WorkerProcess, StartsAlthoughAPreloadedScriptFails) {
  worker_.settings.preloads = {{.application_group = "", .script = script("bad.wsgi", "1/0\n")}};
  spawn_and_wait();
  EXPECT_THAT(log(), HasSubstr("ZeroDivisionError"));
}

TEST_F(WorkerProcess, WritesToTheLogThatItIsGiven) {
  const std::string chatty = script("chatty.wsgi", R"(
import os, sys
sys.stdout = os.fdopen(os.dup(2), 'w')
out = os.open('/dev/null', os.O_WRONLY)
os.dup2(out, 1)
def application(environ, start_response):
    os.write(1, b'for nobody')
    os.write(2, b'for the log')
    start_response('200 OK', [])
    return []
)");
  spawn_and_wait();
  FakeExchange before;
  run(chatty, before);
  const std::string path = folder_.path() + "/second.log";
  const base::UniqueFd second(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  ASSERT_TRUE(
      control::send_order(status_.get(), control::WorkerOrder::Kind::log, "", second.get()));
  EXPECT_TRUE(wait_until([&] {
    FakeExchange after;
    run(chatty, after);
    return read_file(path).find("for the log") != std::string::npos;
  }));
  ::kill(pid_, SIGTERM);
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
  EXPECT_THAT(read_file(path), HasSubstr("PH0471"));
  EXPECT_THAT(read_file(path), Not(HasSubstr("for nobody")));
  EXPECT_THAT(log(), Not(HasSubstr("PH0471")));
}

TEST_F(WorkerProcess, FinishesRunningRequestsOnSigterm) {
  const std::string gate = make_gate();
  const std::string held = script("held.wsgi", fmt::format(R"(
def application(environ, start_response):
    start_response('200 OK', [])
    return [open('{}', 'rb').read()]
)",
                                                           gate));
  spawn_and_wait();
  engine();
  FakeExchange exchange;
  std::thread client([&] { run(held, exchange); });
  // Opening waits until the application reads.
  base::UniqueFd writer(::open(gate.c_str(), O_WRONLY | O_CLOEXEC));
  ::kill(pid_, SIGTERM);
  EXPECT_TRUE(
      wait_until([&] { return scoreboard_->status(0).state == scoreboard::SlotState::draining; }));
  EXPECT_EQ(::write(writer.get(), "late", 4), 4);
  writer.reset();
  client.join();
  EXPECT_EQ(exchange.body(), "late");
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
}

// The kernel sends SIGTERM for the same reason.
TEST_F(WorkerProcess, FinishesRunningRequestsWhenTheSupervisorIsGone) {
  const std::string gate = make_gate();
  const std::string held = script("held.wsgi", fmt::format(R"(
def application(environ, start_response):
    start_response('200 OK', [])
    return [open('{}', 'rb').read()]
)",
                                                           gate));
  spawn_and_wait();
  engine();
  FakeExchange exchange;
  std::thread client([&] { run(held, exchange); });
  base::UniqueFd writer(::open(gate.c_str(), O_WRONLY | O_CLOEXEC));
  status_.reset();
  EXPECT_TRUE(
      wait_until([&] { return scoreboard_->status(0).state == scoreboard::SlotState::draining; }));
  ::kill(pid_, SIGTERM);
  EXPECT_EQ(::write(writer.get(), "late", 4), 4);
  writer.reset();
  client.join();
  EXPECT_EQ(exchange.body(), "late");
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
  EXPECT_THAT(log(), Not(HasSubstr("PH0478")));
}

TEST_F(WorkerProcess, SecondSigtermDoesNotWait) {
  const std::string gate = make_gate();
  const std::string held = script("held.wsgi", fmt::format(R"(
def application(environ, start_response):
    open('{}', 'rb').read()
)",
                                                           gate));
  worker_.group.shutdown_timeout = 1ms;
  spawn_and_wait();
  engine();
  FakeExchange exchange;
  std::thread client([&] { EXPECT_EQ(run(held, exchange).status, 502); });
  const base::UniqueFd writer(::open(gate.c_str(), O_WRONLY | O_CLOEXEC));
  ::kill(pid_, SIGTERM);
  EXPECT_TRUE(
      wait_until([&] { return scoreboard_->status(0).state == scoreboard::SlotState::draining; }));
  ::kill(pid_, SIGTERM);
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
  client.join();
  EXPECT_THAT(log(), HasSubstr("PH0478"));
}

TEST_F(WorkerProcess, EndsWhenTheSupervisorIsGone) {
  spawn_and_wait();
  status_.reset();
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
}

TEST_F(WorkerProcess, ProgramsOfTheApplicationCanBeTerminated) {
  const std::string child = script("child.wsgi", R"(
import subprocess
def application(environ, start_response):
    child = subprocess.Popen(['/bin/sleep', '1000'])
    child.terminate()
    start_response('200 OK', [])
    return [str(child.wait(20)).encode()]
)");
  spawn_and_wait();
  FakeExchange exchange;
  EXPECT_EQ(run(child, exchange).kind, Outcome::Kind::complete);
  EXPECT_EQ(exchange.body(), "-15");
}

class SuicidalWorker : public WorkerProcess {
 protected:
  void expect_cause_of(const std::string& suicide) {
    spawn_and_wait();
    FakeExchange exchange;
    std::thread supervisor([&] {
      const int status = wait_for_end();
      scoreboard_->record_death(0, {.cause = scoreboard::DeathCause::signalled,
                                    .detail = static_cast<std::uint16_t>(WTERMSIG(status)),
                                    .generation = 1});
    });
    EXPECT_EQ(run(suicide, exchange).status, 502);
    supervisor.join();
    EXPECT_THAT(exchange.recorder().text_of(base::Message::worker_lost),
                HasSubstr("was killed by signal 9 (SIGKILL)"));
  }
};

TEST_F(SuicidalWorker, CostsItsRequestOnly) {
  expect_cause_of(script("suicide.wsgi", R"(
import os, signal
def application(environ, start_response):
    os.kill(os.getpid(), signal.SIGKILL)
)"));
}

TEST_F(SuicidalWorker, IsNoticedAlthoughAForkOfItLives) {
  const std::string gate = make_gate();
  expect_cause_of(script("suicide.wsgi", fmt::format(R"(
import os, signal
def application(environ, start_response):
    if os.fork() == 0:
        signal.alarm(90)
        open('{}', 'rb').read()
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)
)",
                                                     gate)));
  const base::UniqueFd fork_may_end(::open(gate.c_str(), O_WRONLY | O_CLOEXEC));
}

}  // namespace
}  // namespace pyhost::test
