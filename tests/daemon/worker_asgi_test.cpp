// pyhost-worker with ASGI applications in it.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>

#include <chrono>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include "daemon/worker_fixture.h"
#include "harness/process.h"

namespace pyhost::test {
namespace {

using gateway::Outcome;
using gateway::Protocol;
using ::testing::AllOf;
using ::testing::HasSubstr;

class AsgiWorker : public WorkerProcess {
 protected:
  Outcome run_asgi(std::string_view script, FakeExchange& exchange,
                   Protocol protocol = Protocol::asgi) {
    return engine().run({.process_group = "blog", .script = script, .protocol = protocol},
                        exchange);
  }
};

constexpr std::string_view kAsgiHello = R"(
async def application(scope, receive, send):
    assert scope['type'] == 'http'
    size = 0
    while True:
        event = await receive()
        size += len(event['body'])
        if not event['more_body']:
            break
    await send({'type': 'http.response.start', 'status': 200,
                'headers': [(b'content-type', b'text/plain')]})
    await send({'type': 'http.response.body', 'body': b'hello %d' % size})
)";

TEST_F(AsgiWorker, ServesAnApplicationOverOneConnection) {
  const std::string hello = script("hello.py", kAsgiHello);
  spawn_and_wait();
  for (int i = 0; i < 3; ++i) {
    FakeExchange exchange;
    EXPECT_EQ(run_asgi(hello, exchange).kind, Outcome::Kind::complete);
    EXPECT_EQ(exchange.status(), 200);
    EXPECT_EQ(exchange.header("content-type"), "text/plain");
    EXPECT_EQ(exchange.body(), "hello 0");
    EXPECT_EQ(exchange.parts().size(), 1u);
  }
}

TEST_F(AsgiWorker, KnowsWhatAnApplicationIs) {
  const std::string asgi = script("asgi.py", kAsgiHello);
  const std::string wsgi = script("wsgi.py", kHello);
  spawn_and_wait();
  for (int i = 0; i < 2; ++i) {
    FakeExchange first, second;
    run_asgi(asgi, first, Protocol::detected);
    EXPECT_EQ(first.body(), "hello 0");
    run_asgi(wsgi, second, Protocol::detected);
    EXPECT_EQ(second.body(), "hello blog");
  }
}

TEST_F(AsgiWorker, TakesMoreRequestsThanThreadsWhileAllItHasIsAsgi) {
  const std::string asgi = script("asgi.py", kAsgiHello);
  const std::string wsgi = script("wsgi.py", kHello);
  spawn_and_wait();
  const auto capacity = [this] { return scoreboard_->status(0).capacity; };
  EXPECT_EQ(capacity(), worker_.group.threads);
  FakeExchange first, second;
  run_asgi(asgi, first, Protocol::detected);
  EXPECT_EQ(capacity(), worker_.group.connections);
  run_asgi(wsgi, second, Protocol::detected);
  EXPECT_EQ(capacity(), worker_.group.threads);
}

TEST_F(AsgiWorker, ReceivesLargeBodies) {
  const std::string hello = script("hello.py", kAsgiHello);
  spawn_and_wait();
  for (const bool chunked : {false, true}) {
    FakeExchange exchange({.body = std::string(300'000, 'x'), .chunked = chunked});
    EXPECT_EQ(run_asgi(hello, exchange).kind, Outcome::Kind::complete);
    EXPECT_EQ(exchange.body(), "hello 300000");
  }
}

// The child hears what the worker sends while it waits for the client's body.
TEST_F(AsgiWorker, SendsBeforeTheBodyIsThere) {
  const std::string early = script("early.py", R"(
import asyncio
async def application(scope, receive, send):
    assert scope['type'] == 'http'
    body = asyncio.ensure_future(receive())
    await asyncio.sleep(0)
    await send({'type': 'http.response.start', 'status': 200})
    await send({'type': 'http.response.body', 'body': b'early, ', 'more_body': True})
    await send({'type': 'http.response.body', 'body': (await body)['body']})
)");
  spawn_and_wait();
  std::latch client_sends(1);
  constexpr int kLooks = 4;
  FakeExchange exchange({.body_steps = {{.bytes = "late", .late_by = kLooks}},
                         .chunked = true,
                         .hold_reads = &client_sends,
                         .buffering = gateway::Buffering::off});
  std::jthread request([&] { run_asgi(early, exchange); });
  EXPECT_TRUE(wait_until([&] { return exchange.bytes_sent() == 7; }));
  client_sends.count_down();
  request.join();
  EXPECT_EQ(exchange.body(), "early, late");
}

TEST_F(AsgiWorker, InterruptsARequestThatRunsTooLong) {
  const std::string slow = script("slow.py", R"(
import asyncio
async def application(scope, receive, send):
    assert scope['type'] == 'http'
    await asyncio.sleep(1000)
)");
  worker_.group.request_timeout = std::chrono::milliseconds(200);
  worker_.group.interrupt_timeout = std::chrono::seconds(30);
  spawn_and_wait();
  FakeExchange exchange;
  EXPECT_EQ(run_asgi(slow, exchange).status, 504);
  EXPECT_THAT(exchange.recorder().text_of(base::Message::request_interrupted),
              HasSubstr("in an event loop"));
  // What a task waits for is in no thread's stack.
  EXPECT_THAT(exchange.recorder().text_of(base::Message::busy_stacks),
              HasSubstr("slow.py\", line 5, in application"));
}

TEST_F(AsgiWorker, HasMoreRequestsThanThreads) {
  const std::string together = script("together.py", R"(
import asyncio
here = 0
all_here = asyncio.Event()
async def application(scope, receive, send):
    global here
    assert scope['type'] == 'http'
    here += 1
    if here == 20:
        all_here.set()
    await all_here.wait()
    await send({'type': 'http.response.start', 'status': 200})
    await send({'type': 'http.response.body', 'body': b'%d' % here})
)");
  worker_.group.interface = Protocol::asgi;
  settings_.group.interface = Protocol::asgi;
  spawn_and_wait();
  engine();  // made by the first who asks
  std::vector<std::unique_ptr<FakeExchange>> exchanges;
  std::vector<std::jthread> requests;
  for (int i = 0; i < 20; ++i) {
    exchanges.push_back(std::make_unique<FakeExchange>());
    requests.emplace_back(
        [&, exchange = exchanges.back().get()] { run_asgi(together, *exchange); });
  }
  requests.clear();
  for (const auto& exchange : exchanges) EXPECT_EQ(exchange->body(), "20");
}

TEST_F(AsgiWorker, SendsLargeReplies) {
  const std::string large = script("large.py", R"(
async def application(scope, receive, send):
    assert scope['type'] == 'http'
    await send({'type': 'http.response.start', 'status': 200})
    for i in range(100):
        await send({'type': 'http.response.body', 'body': b'x' * 100_000, 'more_body': True})
    await send({'type': 'http.response.body'})
)");
  spawn_and_wait();
  FakeExchange exchange;
  EXPECT_EQ(run_asgi(large, exchange).kind, Outcome::Kind::complete);
  EXPECT_EQ(exchange.bytes_sent(), 10'000'000u);
}

// What is printed leaves with what is kept of the reply, which makes room as well.
TEST_F(AsgiWorker, GoesOnThoughARecordHasFoundTheRoomThatItWaitsFor) {
  const std::string prints = script("prints.py", R"(
async def application(scope, receive, send):
    assert scope['type'] == 'http'
    await send({'type': 'http.response.start', 'status': 200})
    for number in range(800):
        await send({'type': 'http.response.body', 'body': bytes(70_000), 'more_body': True})
        print(number)
    await send({'type': 'http.response.body'})
)");
  spawn_and_wait();
  FakeExchange exchange;
  EXPECT_EQ(run_asgi(prints, exchange).kind, Outcome::Kind::complete);
  EXPECT_EQ(exchange.bytes_sent(), 800u * 70'000);
}

TEST_F(AsgiWorker, AnswersAnExceptionWith500AndItsTraceback) {
  const std::string broken = script("broken.py", R"(
async def application(scope, receive, send):
    raise KeyError('x')
)");
  spawn_and_wait();
  FakeExchange exchange;
  EXPECT_EQ(run_asgi(broken, exchange).status, 500);
  EXPECT_THAT(exchange.recorder().text_of(base::Message::application_raised),
              AllOf(HasSubstr("KeyError"), HasSubstr("Traceback")));
}

TEST_F(AsgiWorker, TellsOfAClientThatLeaves) {
  const std::string patient = script("patient.py", R"(
async def application(scope, receive, send):
    assert scope['type'] == 'http'
    await receive()
    print('waits')
    print((await receive())['type'])
)");
  spawn_and_wait();
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  base::UniqueFd client(ends[0]);
  const base::UniqueFd server(ends[1]);
  FakeExchange exchange({.client_socket = server.get()});
  std::jthread request([&] { run_asgi(patient, exchange); });
  EXPECT_TRUE(
      wait_until([&] { return exchange.recorder().text_of(base::Message::none) == "waits\n"; }));
  client.reset();
  EXPECT_TRUE(wait_until([&] { return log().find("http.disconnect") != std::string::npos; }));
}

TEST_F(AsgiWorker, HasApplicationsEndWhenItEnds) {
  const std::string site = script("site.py", R"(
async def application(scope, receive, send):
    if scope['type'] == 'lifespan':
        print((await receive())['type'])
        await send({'type': 'lifespan.startup.complete'})
        print((await receive())['type'])
        await send({'type': 'lifespan.shutdown.complete'})
        return
    await send({'type': 'http.response.start', 'status': 200})
    await send({'type': 'http.response.body'})
)");
  spawn_and_wait();
  FakeExchange exchange;
  EXPECT_EQ(run_asgi(site, exchange).kind, Outcome::Kind::complete);
  EXPECT_THAT(log(), HasSubstr("lifespan.startup"));
  ::kill(pid_, SIGTERM);
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
  EXPECT_THAT(log(), HasSubstr("lifespan.shutdown"));
}

TEST_F(AsgiWorker, StartsApplicationsBeforeItIsReady) {
  const std::string site = script("site.py", R"(
async def application(scope, receive, send):
    if scope['type'] == 'lifespan':
        await receive()
        print('started')
        await send({'type': 'lifespan.startup.complete'})
        await receive()
)");
  worker_.settings.preloads = {
      {.application_group = "", .script = site, .callable = "application"}};
  spawn_and_wait();
  EXPECT_THAT(log(), HasSubstr("started"));
}

TEST_F(AsgiWorker, AsksForASuccessorWhenALifespanIsLost) {
  const std::string site = script("site.py", R"(
async def application(scope, receive, send):
    if scope['type'] == 'lifespan':
        await receive()
        await send({'type': 'lifespan.startup.complete'})
        raise RuntimeError('lost')
    await send({'type': 'http.response.start', 'status': 200})
    await send({'type': 'http.response.body', 'body': b'served'})
)");
  spawn_and_wait();
  FakeExchange exchange;
  run_asgi(site, exchange);
  EXPECT_EQ(exchange.body(), "served");
  EXPECT_EQ(next_status(), R"({"relieve":"lifespan-lost"})");
}

TEST_F(AsgiWorker, DoesNotServeWhatCannotStart) {
  const std::string site = script("site.py", R"(
async def application(scope, receive, send):
    await receive()
    await send({'type': 'lifespan.startup.failed', 'message': 'no database'})
)");
  spawn_and_wait();
  FakeExchange exchange;
  const Outcome outcome = run_asgi(site, exchange);
  EXPECT_EQ(outcome.kind, Outcome::Kind::refused);
  EXPECT_EQ(outcome.status, 500);
  EXPECT_THAT(log(), HasSubstr("no database"));
}

}  // namespace
}  // namespace pyhost::test
