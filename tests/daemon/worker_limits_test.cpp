// The limits of a worker process, with a real CPython inside.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "daemon/worker_fixture.h"
#include "harness/process.h"

namespace pyhost::test {
namespace {

using base::Message;
using gateway::Outcome;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

using WorkerLimits = WorkerProcess;

constexpr std::string_view kEndless = R"(
import time
def work_for_ever():
    while True:
        time.sleep(0.001)
def application(environ, start_response):
    work_for_ever()
)";

// Sleeps without giving the interpreter's lock up.
constexpr std::string_view kLockKeeper = R"(
import ctypes
def keep_the_lock():
    ctypes.PyDLL(None).sleep(3600)
def application(environ, start_response):
    keep_the_lock()
)";

TEST_F(WorkerLimits, ReplacedWorkerServesUntilItIsToldToEnd) {
  const std::string hello = script("hello.wsgi", kHello);
  worker_.group.maximum_requests = 3;
  spawn_and_wait();
  for (int i = 0; i < 3; ++i) {
    FakeExchange exchange;
    EXPECT_EQ(run(hello, exchange).kind, Outcome::Kind::complete);
  }
  EXPECT_EQ(next_status(), R"({"relieve":"maximum-requests"})");
  FakeExchange exchange;
  EXPECT_EQ(run(hello, exchange).kind, Outcome::Kind::complete);
  ::kill(pid_, SIGTERM);
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
}

TEST_F(WorkerLimits, WorkerAsksForASuccessorAtItsAge) {
  worker_.group.restart_interval = 20ms;
  spawn_and_wait();
  EXPECT_EQ(next_status(), R"({"relieve":"restart-interval"})");
}

TEST_F(WorkerLimits, WorkerAsksForASuccessorWhenItWasIdle) {
  const std::string hello = script("hello.wsgi", kHello);
  worker_.group.inactivity_timeout = 20ms;
  spawn_and_wait();
  FakeExchange exchange;
  run(hello, exchange);
  EXPECT_EQ(next_status(), R"({"relieve":"inactivity-timeout"})");
}

TEST_F(WorkerLimits, WorkerAsksForASuccessorWhenItHasGrown) {
  worker_.group.memory_limit_bytes = 10;  // what is resident has less
  spawn_and_wait();
  EXPECT_EQ(next_status(), R"({"relieve":"memory-limit"})");
}

TEST_F(WorkerLimits, WorkerAsksForASuccessorOnSignals) {
  for (const auto& [signal, reason] :
       {std::pair(SIGUSR1, "eviction"), {SIGXCPU, "cpu-time-limit"}}) {
    spawn_and_wait();
    ::kill(pid_, signal);
    EXPECT_EQ(next_status(), fmt::format(R"({{"relieve":"{}"}})", reason));
    ::kill(pid_, SIGTERM);
    EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
    ::unlink(settings_.socket_paths[0].c_str());
  }
}

TEST_F(WorkerLimits, InterruptedRequestGivesItsThreadBack) {
  const std::string endless = script("endless.wsgi", kEndless);
  const std::string hello = script("hello.wsgi", kHello);
  worker_.group.threads = 1;
  worker_.group.request_timeout = 1s;
  worker_.group.interrupt_timeout = 30s;
  // The requests begin in Python at once.
  worker_.settings.preloads = {{.application_group = "", .script = endless},
                               {.application_group = "sub", .script = endless},
                               {.application_group = "", .script = hello}};
  spawn_and_wait();
  for (const char* group : {"", "sub"}) {
    FakeExchange exchange, next;
    const Outcome outcome = engine().run(
        {.process_group = "blog", .application_group = group, .script = endless}, exchange);
    EXPECT_EQ(outcome.kind, Outcome::Kind::refused);
    EXPECT_EQ(outcome.status, 504);
    EXPECT_THAT(exchange.recorder().text_of(Message::request_interrupted),
                AllOf(HasSubstr(endless), HasSubstr("in thread wsgi-0, longer than")));
    EXPECT_THAT(exchange.recorder().text_of(Message::busy_stacks),
                AllOf(HasSubstr("thread wsgi-0"), HasSubstr("in work_for_ever")));
    EXPECT_NE(exchange.recorder().text_of(Message::run_interrupted), "");
    EXPECT_EQ(run(hello, next).kind, Outcome::Kind::complete);
  }
  EXPECT_THAT(log(), Not(HasSubstr("PH0480")));
}

TEST_F(WorkerLimits, InterruptedRequestMayStillAnswer) {
  const std::string careful = script("careful.wsgi", R"(
import mod_wsgi, time
def application(environ, start_response):
    try:
        while True:
            time.sleep(0.001)
    except mod_wsgi.RequestTimeout:
        start_response('200 OK', [])
        return [b'as far as I came']
)");
  worker_.group.request_timeout = 1s;
  worker_.group.interrupt_timeout = 30s;
  worker_.settings.preloads = {{.application_group = "", .script = careful}};
  spawn_and_wait();
  FakeExchange exchange;
  EXPECT_EQ(run(careful, exchange).kind, Outcome::Kind::complete);
  EXPECT_EQ(exchange.body(), "as far as I came");
}

TEST_F(WorkerLimits, InterruptedImportIsATimeoutToo) {
  const std::string slow = script("slow.wsgi", "import time\nwhile True: time.sleep(0.001)\n");
  worker_.group.request_timeout = 50ms;
  worker_.group.interrupt_timeout = 30s;
  spawn_and_wait();
  FakeExchange exchange;
  EXPECT_EQ(run(slow, exchange).status, 504);
}

TEST_F(WorkerLimits, WedgedRequestIsAnsweredAndItsSiblingsFinish) {
  const std::string gate = make_gate();
  const std::string held = script("held.wsgi", fmt::format(R"(
import time
def application(environ, start_response):
    data = open('{}', 'rb').read()
    start_response('200 OK', [])
    return [data]
)",
                                                           gate));
  const std::string wedged = script("wedged.wsgi", R"(
import time
def application(environ, start_response):
    time.sleep(3600)
)");
  // Half of it is what the machine may be slower than it should be.
  worker_.group.request_timeout = 4s;
  worker_.group.shutdown_timeout = 100ms;
  spawn_and_wait();
  engine();
  FakeExchange lost, sibling;
  std::thread first([&] { EXPECT_EQ(run(wedged, lost).status, 504); });
  EXPECT_TRUE(wait_until([&] { return scoreboard_->status(0).outstanding == 1; }));
  // So that the sibling has half of its time left when the wedged one has none.
  const auto half_time = std::chrono::steady_clock::now() + worker_.group.request_timeout / 2;
  EXPECT_TRUE(wait_until([&] { return std::chrono::steady_clock::now() >= half_time; }));
  std::thread second([&] { run(held, sibling); });
  base::UniqueFd writer;
  // A blocking open would never return if the application did not open its end.
  EXPECT_TRUE(wait_until([&] {
    writer.reset(::open(gate.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    return writer.get() >= 0;
  }));
  first.join();
  EXPECT_EQ(next_status(), R"({"draining":"request-timeout"})");
  EXPECT_EQ(scoreboard_->status(0).state, scoreboard::SlotState::draining);
  EXPECT_THAT(lost.recorder().text_of(Message::request_given_up),
              AllOf(HasSubstr(wedged), HasSubstr("longer than request-timeout")));
  EXPECT_THAT(lost.recorder().text_of(Message::busy_stacks),
              AllOf(HasSubstr("wedged.wsgi"), HasSubstr("held.wsgi")));
  EXPECT_EQ(::write(writer.get(), "late", 4), 4);
  writer.reset();
  second.join();
  EXPECT_EQ(sibling.body(), "late");
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
  EXPECT_THAT(log(), HasSubstr("ends with 1 requests running; " + wedged));
}

TEST_F(WorkerLimits, RequestThatCannotBeInterruptedIsGivenUp) {
  const std::string wedged = script("wedged.wsgi", R"(
import time
def application(environ, start_response):
    time.sleep(3600)
)");
  worker_.group.request_timeout = 1s;
  worker_.group.interrupt_timeout = 1s;
  worker_.group.shutdown_timeout = 100ms;
  worker_.settings.preloads = {{.application_group = "", .script = wedged}};
  spawn_and_wait();
  FakeExchange exchange;
  EXPECT_EQ(run(wedged, exchange).status, 504);
  EXPECT_NE(exchange.recorder().text_of(Message::request_interrupted), "");
  EXPECT_NE(exchange.recorder().text_of(Message::request_given_up), "");
  EXPECT_EQ(next_status(), R"({"draining":"request-timeout"})");
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
}

TEST_F(WorkerLimits, LockThatCannotBeHadEndsTheWorker) {
  const std::string keeper = script("keeper.wsgi", kLockKeeper);
  // Longer than the way to the application takes on a machine that is busy.
  worker_.group.deadlock_timeout = 1s;
  spawn_and_wait();
  FakeExchange exchange;
  const Outcome outcome = engine().run(
      {.process_group = "blog", .application_group = "sub", .script = keeper}, exchange);
  EXPECT_EQ(outcome.status, 504);
  EXPECT_THAT(exchange.recorder().text_of(Message::lock_stuck), HasSubstr("deadlock-timeout"));
  EXPECT_EQ(next_status(), R"({"draining":"deadlock-timeout"})");
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
  EXPECT_THAT(log(), AllOf(HasSubstr("PH0482"), HasSubstr(keeper), HasSubstr("in keep_the_lock")));
}

TEST_F(WorkerLimits, FirstImportThatTakesTooLongEndsTheWorker) {
  const std::string slow = script("slow.wsgi", R"(
import time
def prepare():
    time.sleep(3600)
prepare()
)");
  worker_.group.startup_timeout = 1s;
  worker_.group.graceful_timeout = 100ms;
  worker_.group.shutdown_timeout = 100ms;
  spawn_and_wait();
  FakeExchange exchange;
  run(slow, exchange);
  EXPECT_EQ(next_status(), R"({"draining":"startup-timeout"})");
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
  EXPECT_THAT(log(), AllOf(HasSubstr("startup-timeout"), HasSubstr("in prepare")));
}

TEST_F(WorkerLimits, ServiceIsToldToEndBySystemExit) {
  const std::string started = folder_.path() + "/started", ended = folder_.path() + "/ended";
  worker_.group.threads = 0;
  worker_.settings.engine.restrict_signal = false;
  worker_.settings.preloads = {{.application_group = "",
                                .script = script("service.py", fmt::format(R"(
import atexit, time
atexit.register(lambda: open('{1}', 'a').write(' atexit'))
try:
    open('{0}', 'w').close()
    while True:
        time.sleep(0.001)
finally:
    open('{1}', 'a').write('finally')
)",
                                                                           started, ended))}};
  spawn_and_wait();
  EXPECT_TRUE(wait_until([&] { return ::access(started.c_str(), F_OK) == 0; }));
  ::kill(pid_, SIGTERM);
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
  EXPECT_EQ(read_file(ended), "finally atexit");
  EXPECT_THAT(log(), Not(HasSubstr(":error]")));
}

// As a program that runs by itself does.
TEST_F(WorkerLimits, ServiceMayTakeSignalsItself) {
  const std::string started = folder_.path() + "/started", ended = folder_.path() + "/ended";
  worker_.group.threads = 0;
  worker_.settings.engine.restrict_signal = false;
  worker_.settings.preloads = {{.application_group = "",
                                .script = script("service.py", fmt::format(R"(
import asyncio, signal
async def serve():
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    open('{0}', 'w').close()
    await told.wait()
    open('{1}', 'a').write('told')
asyncio.run(serve())
)",
                                                                           started, ended))}};
  spawn_and_wait();
  EXPECT_TRUE(wait_until([&] { return ::access(started.c_str(), F_OK) == 0; }));
  ::kill(pid_, SIGTERM);
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
  EXPECT_EQ(read_file(ended), "told");
  EXPECT_THAT(log(), Not(HasSubstr(":error]")));
}

class EndlessImport : public WorkerProcess {
 protected:
  // A worker is told to end while it imports a script that takes no notice.
  void end_while_importing() {
    const std::string started = folder_.path() + "/started";
    worker_.group.graceful_timeout = 100ms;
    worker_.group.shutdown_timeout = 100ms;
    worker_.settings.preloads = {{.application_group = "",
                                  .script = script("slow.wsgi", fmt::format(R"(
import time
while True:
    try:
        open('{}', 'w').close()
        time.sleep(3600)
    except SystemExit:
        pass
)",
                                                                            started))}};
    spawn();
    EXPECT_TRUE(wait_until([&] { return ::access(started.c_str(), F_OK) == 0; }));
    ::kill(pid_, SIGTERM);
    EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
  }
};

TEST_F(EndlessImport, IsLeftBehind) {
  end_while_importing();
  EXPECT_THAT(log(), HasSubstr("PH0484"));
}

TEST_F(EndlessImport, OfTheMainThreadIsNamed) {
  worker_.settings.engine.restrict_signal = false;
  end_while_importing();
  EXPECT_THAT(log(), AllOf(HasSubstr("PH0484"), HasSubstr("a script is still being imported in the "
                                                          "main interpreter")));
}

}  // namespace
}  // namespace pyhost::test
