// The end of an engine with event loops. Each test is a process of its own: an engine ends once.

#include <gmock/gmock.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <vector>

#include "engine/engine_fixture.h"
#include "engine/local_engine.h"
#include "harness/fake_channel.h"
#include "pyhost/gateway/channel_loops.h"

namespace pyhost::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class AsgiStop : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// What a request waits for when the engine is stopped.
enum class Waits { for_body, for_reply, for_socket };

// Has a request run in the main interpreter and in a sub-interpreter, stops the engine when both
// have got that far, and leaves the process with what was logged on standard error.
[[noreturn]] void run_and_stop(std::string_view source, std::chrono::milliseconds budget,
                               Waits waits = Waits::for_body) {
  LogRecorder& log = *new LogRecorder;
  const Script script(source);
  auto engine = engine::LocalEngine::open({}, log);
  std::vector<std::unique_ptr<FakeChannels>> sources;
  std::vector<std::unique_ptr<FakeChannel>> channels;
  for (const char* group : {"", "sub"}) {
    FakeExchange caller;
    const gateway::Target target{
        .application_group = group, .script = script.path(), .protocol = gateway::Protocol::asgi};
    const auto placed = (*engine)->loops()->place(target, caller);
    if (!placed) std::cerr << placed.error().why;
    sources.push_back(std::make_unique<FakeChannels>());
    (*placed)->serve(*sources.back());
    const auto offer =
        waits == Waits::for_socket ? gateway::WebSocketOffer::valid : gateway::WebSocketOffer::none;
    channels.push_back(
        std::make_unique<FakeChannel>(*sources.back(), target,
                                      FakeChannel::Client{.request = {.web_socket = offer},
                                                          .body = FakeChannel::Body::comes_later}));
    if (waits == Waits::for_body) channels.back()->wait_for_want_body();
    if (waits != Waits::for_body) channels.back()->wait_for_parts(1);
  }
  (*engine)->stop(budget);
  engine->reset();
  for (const auto& channel : channels) {
    if (waits == Waits::for_socket && channel->wait_for_stream(0) == "\x88\x02\x03\xe9") {
      std::cerr << "closed with 1001\n";
    }
    std::cerr << "answered " << channel->outcome().status << "\n"
              << channel->exchange().recorder().text_of(base::Message::none);
  }
  for (const auto& channel_source : sources) {
    std::cerr << (channel_source->abandoned() ? "abandoned" : "still pumped") << "\n";
  }
  for (const LogRecord& record : log.records()) {
    if (is_notable(record)) std::cerr << record.text << "\n";
  }
  std::cerr << "stopped" << std::endl;
  leave_process();
}

constexpr char kTellsOfItsEnd[] = R"(
import mod_wsgi
events = []
async def application(scope, receive, send):
    if scope['type'] == 'lifespan':
        await receive()
        await send({'type': 'lifespan.startup.complete'})
        events.append((await receive())['type'])
        print(mod_wsgi.application_group or 'main', *events)
        await send({'type': 'lifespan.shutdown.complete'})
        return
    try:
        await receive()
    finally:
        events.append('cancelled')
)";

TEST_F(AsgiStop, CancelsWhatRunsBeforeApplicationsEnd) {
  EXPECT_EXIT(run_and_stop(kTellsOfItsEnd, 30s), ::testing::ExitedWithCode(0),
              AllOf(ContainsRegex("answered 503\nanswered 503\nabandoned\nabandoned"),
                    HasSubstr("main cancelled lifespan.shutdown"),
                    HasSubstr("sub cancelled lifespan.shutdown"), HasSubstr("stopped"),
                    Not(HasSubstr("left running"))));
}

TEST_F(AsgiStop, ClosesWebSocketsWithoutWaitingForTheirClients) {
  EXPECT_EXIT(
      run_and_stop(R"(
async def application(scope, receive, send):
    if scope['type'] == 'lifespan':
        await receive()
        await send({'type': 'lifespan.startup.complete'})
        await receive()
        print('ends')
        await send({'type': 'lifespan.shutdown.complete'})
        return
    await receive()
    await send({'type': 'websocket.accept'})
    if mod_wsgi.application_group == 'sub':
        return
    try:
        await receive()
    finally:
        print('cancelled')
import mod_wsgi
)",
                   4s, Waits::for_socket),
      ::testing::ExitedWithCode(0),
      AllOf(HasSubstr("closed with 1001"), HasSubstr("cancelled"), ContainsRegex("ends(.|\n)*ends"),
            HasSubstr("stopped"), Not(HasSubstr("left running"))));
}

TEST_F(AsgiStop, WaitsForWhatIsDoneBehindReplies) {
  EXPECT_EXIT(
      run_and_stop(R"(
import asyncio
async def application(scope, receive, send):
    if scope['type'] == 'lifespan':
        await receive()
        await send({'type': 'lifespan.startup.complete'})
        await receive()
        print('ends')
        await send({'type': 'lifespan.shutdown.complete'})
        return
    await send({'type': 'http.response.start', 'status': 200})
    await send({'type': 'http.response.body'})
    await receive()
    await asyncio.sleep(0.05)
    print('done')
)",
                   30s, Waits::for_reply),
      ::testing::ExitedWithCode(0),
      AllOf(ContainsRegex("done(.|\n)*done"), HasSubstr("ends"), Not(HasSubstr("cancelled"))));
}

TEST_F(AsgiStop, SaysWhatWasWrongWithTheEndOfAnApplication) {
  EXPECT_EXIT(
      run_and_stop(R"(
async def application(scope, receive, send):
    await receive()
    if scope['type'] == 'lifespan':
        await send({'type': 'lifespan.startup.complete'})
        await receive()
        raise ValueError('too late')
)",
                   30s),
      ::testing::ExitedWithCode(0),
      AllOf(HasSubstr("ValueError: too late"), HasSubstr("Traceback"), HasSubstr("stopped")));
}

TEST_F(AsgiStop, DoesNotWaitForAnApplicationThatNeverEnds) {
  EXPECT_EXIT(run_and_stop(R"(
async def application(scope, receive, send):
    await receive()
    if scope['type'] == 'lifespan':
        await send({'type': 'lifespan.startup.complete'})
        await receive()
        await receive()
)",
                           2s),
              ::testing::ExitedWithCode(0), HasSubstr("stopped"));
}

}  // namespace
}  // namespace pyhost::test
