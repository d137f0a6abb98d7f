// What an engine offers whoever watches over its requests.

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "engine/engine_fixture.h"
#include "harness/wait.h"
#include "pyhost/base/unique_fd.h"
#include "python/compat.h"

namespace pyhost::test {
namespace {

using base::Message;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class EngineWatch : public ::testing::Test {
 protected:
  // Before a second thread asks for it.
  void SetUp() override { engine(); }
};

gateway::EngineWatch& watch() {
  return *engine().watch();
}

// Of all interpreters, each with a line end.
std::string stacks(gateway::StackOwners whose) {
  struct Gathered {
    std::mutex mutex;
    std::string text;
    std::size_t number = 0;
  };
  const auto gathered = std::make_shared<Gathered>();
  const std::size_t expected = watch().collect_stacks(whose, [gathered](std::string_view text) {
    const std::lock_guard lock(gathered->mutex);
    gathered->text += text;
    if (!text.empty()) gathered->text += '\n';
    ++gathered->number;
  });
  EXPECT_TRUE(wait_until([&] {
    const std::lock_guard lock(gathered->mutex);
    return gathered->number == expected;
  }));
  return gathered->text;
}

std::string stacks() {
  return stacks(gateway::StackOwners::calls);
}

// Waits for input before it begins its loop.
constexpr char kLoop[] = R"(
import time
def loop_for_ever():
    while True:
        time.sleep(0.001)
def application(environ, start_response):
    loop_for_ever()
)";

TEST_F(EngineWatch, InterruptsTheRunOnAnExchange) {
  const Script script(kLoop);
  for (const char* group : {"", "one"}) {
    FakeExchange exchange;
    gateway::Outcome outcome;
    std::thread request([&] {
      outcome = engine().run({.application_group = group, .script = script.path()}, exchange);
    });
    ASSERT_TRUE(wait_until([] { return stacks().find("loop_for_ever") != std::string::npos; }));
    watch().interrupt(exchange, base::Clock::now());
    request.join();
    EXPECT_EQ(outcome.kind, gateway::Outcome::Kind::refused);
    EXPECT_EQ(outcome.status, 504);
    EXPECT_NE(exchange.recorder().text_of(Message::run_interrupted), "");
    EXPECT_EQ(exchange.recorder().text_of(Message::application_raised), "");
  }
}

// A thread of the application's own, which no request waits for.
constexpr char kBackground[] = R"(
import threading
let_go = threading.Event()
def keep_watch():
    let_go.wait()
watcher = threading.Thread(target=keep_watch, name='the watcher')
def application(environ, start_response):
    if environ['QUERY_STRING'] == 'end':
        let_go.set()
        watcher.join()
    else:
        watcher.start()
    start_response('200 OK', [])
    return [b'']
)";

TEST_F(EngineWatch, ShowsEveryThreadOfEachInterpreter) {
  const Script script(kBackground);
  const auto run = [&script](const char* group, const char* query) {
    FakeExchange exchange({.environ = {{"QUERY_STRING", query}}});
    engine().run({.application_group = group, .script = script.path()}, exchange);
  };
  for (const char* group : {"", "watched"}) run(group, "begin");
  std::string all;
  EXPECT_TRUE(wait_until([&all] {
    all = stacks(gateway::StackOwners::all);
    const auto first = all.find("keep_watch");
    return first != all.npos && all.find("keep_watch", first + 1) != all.npos;
  })) << all;
  EXPECT_THAT(all, AllOf(HasSubstr("in the main interpreter\n"),
                         HasSubstr("in sub-interpreter 'watched'\n"),
                         HasSubstr("thread the watcher, most recent call last:\n")));
  EXPECT_THAT(stacks(), Not(HasSubstr("keep_watch")));
  // Each is told of in its own interpreter only.
  const auto second = all.find("keep_watch", all.find("keep_watch") + 1);
  EXPECT_EQ(all.find("in keep_watch", second + 1), all.npos) << all;
  for (const char* group : {"", "watched"}) run(group, "end");
}

TEST_F(EngineWatch, InterruptsNoImport) {
  const Script script(R"(
import sys, time
sys.importing_slowly = True
while sys.importing_slowly:
    time.sleep(0.001)
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'imported']
)");
  const Script release(R"(
import sys
def application(environ, start_response):
    sys.importing_slowly = False
    start_response('200 OK', [])
    return []
)");
  FakeExchange first, second;
  gateway::Outcome outcomes[2];
  std::thread importer([&] { outcomes[0] = engine().run({.script = script.path()}, first); });
  ASSERT_TRUE(wait_until([] { return stacks().find("app.wsgi") != std::string::npos; }));
  std::thread waiter([&] { outcomes[1] = engine().run({.script = script.path()}, second); });
  ASSERT_TRUE(wait_until([&] { return first.is_importing() && second.is_importing(); }));
  watch().interrupt(first, base::Clock::now());
  watch().interrupt(second, base::Clock::now());
  EXPECT_NE(stacks(), "");  // comes behind them
  EXPECT_TRUE(run(release).complete());
  importer.join();
  waiter.join();
  for (const FakeExchange* exchange : {&first, &second}) {
    EXPECT_EQ(exchange->body(), "imported");
    EXPECT_FALSE(exchange->is_importing());
  }
}

TEST_F(EngineWatch, InterruptsARunOnce) {
  const Script script(R"(
import mod_wsgi, time
def loop_for_ever():
    while True:
        time.sleep(0.001)
def application(environ, start_response):
    try:
        loop_for_ever()
    except mod_wsgi.RequestTimeout:
        data = environ['wsgi.input'].read()
        start_response('200 OK', [])
        return [data]
)");
  std::latch released(1);
  FakeExchange exchange({.body = "data", .hold_reads = &released});
  std::thread request([&] { engine().run({.script = script.path()}, exchange); });
  EXPECT_TRUE(wait_until([] { return stacks().find("loop_for_ever") != std::string::npos; }));
  watch().interrupt(exchange, base::Clock::now());
  EXPECT_TRUE(wait_until([&] { return exchange.body_reads() != 0; }));
  watch().interrupt(exchange, base::Clock::now());
  EXPECT_THAT(stacks(), HasSubstr("in application"));
  released.count_down();
  request.join();
  EXPECT_EQ(exchange.body(), "data");
}

TEST_F(EngineWatch, LeavesOtherRunsAlone) {
  std::latch released(1);
  const Script script(R"(
def wait_for_input(environ):
    return environ['wsgi.input'].read()
def application(environ, start_response):
    data = wait_for_input(environ)
    start_response('200 OK', [])
    return [data]
)");
  const auto before = base::Clock::now();
  FakeExchange exchange({.body = "data", .hold_reads = &released}), other;
  gateway::Outcome outcome;
  std::thread request([&] { outcome = engine().run({.script = script.path()}, exchange); });
  EXPECT_TRUE(wait_until([] { return stacks().find("wait_for_input") != std::string::npos; }));
  watch().interrupt(other, base::Clock::now());
  // As if an earlier request of the same exchange was meant.
  watch().interrupt(exchange, before);
  // What was asked for before is done when the stacks come.
  EXPECT_THAT(stacks(), HasSubstr("wait_for_input"));
  released.count_down();
  request.join();
  EXPECT_EQ(outcome.kind, gateway::Outcome::Kind::complete);
  EXPECT_EQ(exchange.body(), "data");
}

TEST_F(EngineWatch, TakesBackWhatHasNotArrivedWhenTheRunEnds) {
  std::latch released(1);
  const Script script(R"(
def application(environ, start_response):
    start_response('200 OK', [])
    print('at the end', file=environ['wsgi.errors'])
    return [b'x' * 100_000]
)");
  FakeExchange exchange({.hold_sends = &released}), next;
  std::thread request([&] {
    engine().run({.script = script.path()}, exchange);
    // On the same thread.
    engine().run({.script = script.path()}, next);
  });
  // The reply is sent behind the application's last instruction.
  EXPECT_TRUE(wait_until(
      [&] { return exchange.recorder().text().find("at the end") != std::string::npos; }));
  EXPECT_TRUE(wait_until([] { return stacks().find("in application") == std::string::npos; }));
  watch().interrupt(exchange, base::Clock::now());
  stacks();
  released.count_down();
  request.join();
  EXPECT_TRUE(exchange.ended());
  EXPECT_EQ(next.body().size(), 100'000u);
}

TEST_F(EngineWatch, StacksAreThoseOfBusyThreads) {
  std::latch released(1);
  const Script script(R"(
import threading
threading.Thread(target=threading.Event().wait, name='idler', daemon=True).start()
def read_body(environ):
    environ['wsgi.input'].read()
def application(environ, start_response):
    read_body(environ)
    start_response('200 OK', [])
    return []
)");
  ASSERT_EQ(stacks(), "");
  FakeExchange first({.body = "x", .hold_reads = &released}),
      second({.body = "x", .hold_reads = &released});
  std::thread one([&] { engine().run({.script = script.path()}, first); });
  std::thread two(
      [&] { engine().run({.application_group = "two", .script = script.path()}, second); });
  const auto both = [] {
    const std::string text = stacks();
    const auto at = text.find("in read_body");
    return at != text.npos && text.find("in read_body", at + 1) != text.npos;
  };
  EXPECT_TRUE(wait_until(both));
  EXPECT_THAT(stacks(), AllOf(HasSubstr("most recent call last:\n"), HasSubstr(script.path()),
                              Not(HasSubstr("idler")), Not(HasSubstr("threading.py"))));
  EXPECT_THAT(watch().stacks_without_lock(),
              HasSubstr(python::kDumpsStacksWithoutLock ? "in read_body" : ""));
  released.count_down();
  one.join();
  two.join();
}

TEST_F(EngineWatch, SaysWhichLockCannotBeHad) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const base::UniqueFd reading(ends[0]);
  base::UniqueFd writing(ends[1]);
  // A call through PyDLL keeps the lock; this one returns when the other end is closed.
  const Script script(fmt::format(R"(
import ctypes
def application(environ, start_response):
    ctypes.PyDLL(None).read({}, ctypes.create_string_buffer(1), 1)
    start_response('200 OK', [])
    return []
)",
                                  ends[0]));
  watch().probe_locks();
  std::thread request([&] { EXPECT_TRUE(run(script, {}, "keeper").complete()); });
  std::optional<gateway::InterpreterWait> waited;
  EXPECT_TRUE(wait_until([&] {
    waited = watch().probe_locks();
    return waited && base::Clock::now() - waited->since >= std::chrono::milliseconds(100);
  }));
  writing.reset();
  request.join();
  ASSERT_TRUE(waited);
  EXPECT_THAT(waited->interpreter, HasSubstr("interpreter"));
  EXPECT_TRUE(wait_until([] { return !watch().probe_locks(); }));
}

}  // namespace
}  // namespace pyhost::test
