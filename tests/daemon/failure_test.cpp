// What a request meets when something goes wrong between a httpd child and a worker.
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <latch>
#include <limits>
#include <thread>

#include "daemon/group_fixture.h"
#include "daemon/played_worker.h"
#include "wire/messages.h"

namespace pyhost::test {
namespace {

using base::Message;
using gateway::BodyFault;
using gateway::Buffering;
using gateway::Outcome;
using gateway::ReplyPart;
using ::testing::AllOf;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class RemoteFailure : public GroupTest {
 protected:
  void SetUp() override {
    applications_.add("/apps/hello", [](const gateway::Target&, gateway::Exchange& exchange) {
      return reply(exchange, "hello");
    });
    applications_.add("/apps/held", [this](const gateway::Target&, gateway::Exchange& exchange) {
      entered_ = true;
      release_.wait();
      return reply(exchange, "held");
    });
  }

  // Serves one connection of a declared slot as `play` says, and closes it.
  std::thread play_worker(std::uint32_t slot, std::function<void(wire::Connection&)> play,
                          wire::HelloMessage self = {.pid = kOwnPid, .generation = 1}) {
    return test::play_worker(declare_worker(slot), std::move(play), self);
  }

  std::atomic<bool> entered_ = false;
  std::latch release_{1};
};

TEST_F(RemoteFailure, RefusalOfTheApplicationBecomesTheStatus) {
  applications_.add("/apps/refuse", [](const gateway::Target&, gateway::Exchange&) {
    return Outcome{Outcome::Kind::refused, 500};
  });
  start_worker(0);
  FakeExchange exchange, next;
  const Outcome outcome = run("/apps/refuse", exchange);
  EXPECT_EQ(outcome.kind, Outcome::Kind::refused);
  EXPECT_EQ(outcome.status, 500);
  EXPECT_FALSE(exchange.has_head());
  EXPECT_EQ(run("/apps/hello", next).kind, Outcome::Kind::complete);
}

TEST_F(RemoteFailure, WorkerOfBeforeThatEndsIsNotTakenForItsSuccessor) {
  // A request that does not fit what the socket holds is still being sent when the worker ends.
  settings_.group.receive_buffer_size_bytes = 4096;
  base::UniqueFd listening = declare_worker(0);
  scoreboard_->begin_generation(0, ::getpid(), 2, 4);
  scoreboard_->set_state(0, scoreboard::SlotState::ready);
  std::jthread workers([&] {
    {
      const wire::Connection before = accept_as({.pid = kOwnPid, .generation = 1}, listening.get());
      EXPECT_NE(before.wait(POLLIN, kPatience), 0);
    }
    pool_settings_.generation = 2;
    serve_slot(0, std::move(listening));
  });
  FakeExchange exchange({.body = std::string(60'000, 'x')});
  EXPECT_EQ(run("/apps/hello", exchange).kind, Outcome::Kind::complete);
}

TEST_F(RemoteFailure, WorkerThatEndsWithoutAWordIsNotTakenForItsSuccessor) {
  base::UniqueFd listening = declare_worker(0);
  std::jthread workers([&] {
    {
      const base::UniqueFd before(::accept4(listening.get(), nullptr, nullptr, 0));
      EXPECT_TRUE(before.valid());
    }
    serve_slot(0, std::move(listening));
  });
  FakeExchange exchange;
  EXPECT_EQ(run("/apps/hello", exchange).kind, Outcome::Kind::complete);
}

TEST_F(RemoteFailure, ReplyThatStopsIsBroken) {
  applications_.add("/apps/stop", [](const gateway::Target&, gateway::Exchange& exchange) {
    const gateway::ResponseHead head;
    exchange.send({.head = &head, .then = ReplyPart::Then::pause});
    return Outcome{Outcome::Kind::broken, 0};
  });
  start_worker(0);
  FakeExchange exchange;
  EXPECT_EQ(run("/apps/stop", exchange).kind, Outcome::Kind::broken);
  EXPECT_TRUE(exchange.has_head());
  EXPECT_FALSE(exchange.ended());
  EXPECT_THAT(exchange.recorder().text_of(Message::reply_broken), HasSubstr("/apps/stop"));
}

TEST_F(RemoteFailure, HeaderLineMayNotBeLongerThanItsLimit) {
  settings_.group.header_buffer_size_bytes = 8192;
  std::string value(8192 - 4 - 6, 'x');  // "X-Long: " and the line's end
  applications_.add("/apps/header", [&](const gateway::Target&, gateway::Exchange& exchange) {
    const gateway::Header header{"X-Long", value};
    const gateway::ResponseHead head{.headers = {&header, 1}};
    exchange.send({.head = &head, .then = ReplyPart::Then::end});
    return Outcome{};
  });
  start_worker(0);
  FakeExchange fits, longer, next;
  EXPECT_EQ(run("/apps/header", fits).kind, Outcome::Kind::complete);
  value += 'x';
  const Outcome outcome = run("/apps/header", longer);
  EXPECT_EQ(outcome.kind, Outcome::Kind::refused);
  EXPECT_EQ(outcome.status, 500);
  EXPECT_THAT(longer.recorder().text_of(Message::head_too_large),
              HasSubstr("X-Long is a line of 8193 bytes, longer than header-buffer-size=8192"));
  EXPECT_EQ(run("/apps/hello", next).kind, Outcome::Kind::complete);
}

TEST_F(RemoteFailure, DrainingWorkerSendsTheRequestToAnother) {
  start_worker(0);
  FakeExchange first;
  ASSERT_EQ(run("/apps/hello", first).kind, Outcome::Kind::complete);  // leaves a connection open
  start_worker(1);
  pool(0).drain(gateway::Leaving::restart);
  FakeExchange exchange;
  EXPECT_EQ(run("/apps/hello", exchange).kind, Outcome::Kind::complete);
  EXPECT_EQ(applications_.runs(), 2u);
}

TEST_F(RemoteFailure, WorkerThatEndsBeforeItReadsCostsNothing) {
  std::thread unlucky = play_worker(0, [](wire::Connection& connection) {
    EXPECT_NE(connection.wait(POLLIN, kPatience), 0);  // the request is there, unread
  });
  start_worker(1);
  FakeExchange exchange;
  EXPECT_EQ(run("/apps/hello", exchange).kind, Outcome::Kind::complete);
  unlucky.join();
}

TEST_F(RemoteFailure, DeadWorkerIsNamedWithItsCause) {
  std::thread crashing = play_worker(0, [this](wire::Connection& connection) {
    take_request(connection);
    scoreboard_->record_death(0, {.cause = scoreboard::DeathCause::signalled,
                                  .detail = SIGSEGV,
                                  .generation = 1,
                                  .pid = ::getpid()});
  });
  FakeExchange exchange;
  const Outcome outcome = run("/apps/hello", exchange);
  crashing.join();
  EXPECT_EQ(outcome.kind, Outcome::Kind::refused);
  EXPECT_EQ(outcome.status, 502);
  const std::string text = exchange.recorder().text_of(Message::worker_lost);
  EXPECT_THAT(text, HasSubstr("the worker was killed by signal 11 (SIGSEGV) before it replied"));
  EXPECT_THAT(text, HasSubstr("request for /apps/hello"));
  EXPECT_THAT(text, HasSubstr("process group 'blog', slot 0"));
  EXPECT_THAT(text, HasSubstr("generation 1"));
}

TEST_F(RemoteFailure, DeadWorkerIsNoticedAlthoughAForkOfItHasTheConnection) {
  base::UniqueFd of_the_fork;
  std::thread crashing = play_worker(0, [&](wire::Connection& connection) {
    take_request(connection);
    of_the_fork.reset(::dup(connection.fd()));
    scoreboard_->record_death(
        0, {.cause = scoreboard::DeathCause::signalled, .detail = SIGKILL, .generation = 1});
  });
  FakeExchange exchange;
  EXPECT_EQ(run("/apps/hello", exchange).status, 502);
  crashing.join();
  EXPECT_THAT(exchange.recorder().text_of(Message::worker_lost),
              HasSubstr("the worker was killed by signal 9 (SIGKILL) before it replied"));
}

TEST_F(RemoteFailure, SuccessorThatHasTakenTheConnectionIsNamed) {
  const auto play = [this](wire::Connection& connection) {
    take_request(connection);
    scoreboard_->record_death(
        0, {.cause = scoreboard::DeathCause::signalled, .detail = SIGSEGV, .generation = 3});
  };
  std::thread successor = play_worker(0, play, {.pid = kOwnPid, .generation = 3});
  FakeExchange exchange;
  EXPECT_EQ(run("/apps/hello", exchange).status, 502);
  successor.join();
  EXPECT_THAT(exchange.recorder().text_of(Message::worker_lost),
              AllOf(HasSubstr("was killed by signal 11 (SIGSEGV)"), HasSubstr("generation 3)")));
}

TEST_F(RemoteFailure, MalformedFrameCostsOnlyItsOwnRequest) {
  std::thread broken = play_worker(0, [](wire::Connection& connection) {
    take_request(connection);
    send_text(connection, "HTTP/1.1 200 OK\r\n\r\n");
  });
  FakeExchange exchange, next;
  EXPECT_EQ(run("/apps/hello", exchange).status, 502);
  EXPECT_NE(exchange.recorder().text_of(Message::frame_malformed), "");
  broken.join();
  start_worker(1);
  scoreboard_->set_state(0, scoreboard::SlotState::dead);
  EXPECT_EQ(run("/apps/hello", next).kind, Outcome::Kind::complete);
}

TEST_F(RemoteFailure, FrameAtTheWrongTimeIsNotTakenForAReply) {
  std::thread broken = play_worker(0, [](wire::Connection& connection) {
    take_request(connection);
    std::string end;
    wire::encode_end({}, end);
    send_text(connection, end);
  });
  FakeExchange exchange;
  EXPECT_EQ(run("/apps/hello", exchange).status, 502);
  EXPECT_FALSE(exchange.has_head());
  broken.join();
}

TEST_F(RemoteFailure, WorkerAnswersAMalformedRequestAndServesTheNext) {
  start_worker(0);
  FakeExchange first;
  ASSERT_EQ(run("/apps/hello", first).kind, Outcome::Kind::complete);
  wire::Connection raw = connect_to(0);
  std::string request;
  wire::encode_greeting({}, request);
  const auto header = wire::encode_header({wire::FrameType::request, 4});
  request.append(header.data(), header.size()).append("junk");
  send_text(raw, request);
  take_frame(raw, wire::FrameType::hello);
  wire::Frame frame;
  ASSERT_EQ(raw.read_frame(frame, kPatience), wire::Io::done);
  EXPECT_EQ(wire::decode_error(frame.payload)->cause, "a malformed REQUEST frame");
  FakeExchange next;
  EXPECT_EQ(run("/apps/hello", next).kind, Outcome::Kind::complete);
}

TEST_F(RemoteFailure, RequestThatWasGivenUpBeforeItWasReadIsNotRun) {
  start_worker(0, 1);
  engine();
  FakeExchange held;
  std::thread client([&] { run("/apps/held", held); });
  EXPECT_TRUE(wait_until([&] { return entered_.load(); }));
  wire::Connection raw = connect_to(0);
  std::string request;
  wire::encode_greeting({}, request);
  ASSERT_TRUE(wire::encode_request({.target = {.script = "/apps/hello"}}, request));
  send_text(raw, request);
  ASSERT_EQ(::shutdown(raw.fd(), SHUT_WR), 0);
  release_.count_down();
  take_frame(raw, wire::FrameType::hello);
  wire::Frame frame;
  EXPECT_EQ(raw.read_frame(frame, kPatience), wire::Io::reset);
  client.join();
  EXPECT_EQ(applications_.runs(), 1u);
}

// One thread sends the reply, another meets the end of the connection.
TEST_F(RemoteFailure, ConnectionEndsRightBehindItsReply) {
  start_worker(0);
  engine();
  std::string request;
  wire::encode_greeting({}, request);
  ASSERT_TRUE(wire::encode_request({.target = {.script = "/apps/hello"}}, request));
  constexpr std::size_t kConnections = 2000;
  for (std::size_t i = 0; i < kConnections; ++i) {
    wire::Connection raw = connect_to(0);
    take_frame(raw, wire::FrameType::hello);
    send_text(raw, request);
    wire::Frame frame;
    while (frame.type != wire::FrameType::end) {
      ASSERT_EQ(raw.read_frame(frame, kPatience), wire::Io::done);
    }
  }
  EXPECT_EQ(applications_.runs(), kConnections);
}

TEST_F(RemoteFailure, SilentWorkerIsGivenUp) {
  settings_.socket_timeout = 20ms;
  std::latch done(1);
  std::thread silent = play_worker(0, [&](wire::Connection&) { done.wait(); });
  FakeExchange exchange;
  EXPECT_EQ(run("/apps/hello", exchange).status, 504);
  EXPECT_NE(exchange.recorder().text_of(Message::worker_silent), "");
  done.count_down();
  silent.join();
}

TEST_F(RemoteFailure, FullQueueIsRefusedAtOnce) {
  settings_.group.queue = 0;
  settings_.socket_paths.resize(1);
  start_worker(0, 1);
  FakeExchange held, refused;
  std::thread client([&] { run("/apps/held", held); });
  EXPECT_TRUE(wait_until([&] { return entered_.load(); }));
  const Outcome outcome = run("/apps/hello", refused);
  EXPECT_EQ(outcome.status, 503);
  EXPECT_EQ(outcome.retry_after_seconds, 1u);
  EXPECT_NE(refused.recorder().text_of(Message::queue_full), "");
  release_.count_down();
  client.join();
  EXPECT_EQ(held.body(), "held");
}

TEST_F(RemoteFailure, QueueHasRoomForTheThreadsOfWorkersThatAreNotReady) {
  settings_.group.queue = 0;
  engine();
  FakeExchange refused;
  std::vector<std::unique_ptr<FakeExchange>> early;
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < settings_.socket_paths.size(); ++i) {
    FakeExchange& exchange = *early.emplace_back(std::make_unique<FakeExchange>());
    clients.emplace_back([&] { run("/apps/hello", exchange); });
  }
  EXPECT_TRUE(wait_until([&] { return scoreboard_->waiting() == clients.size(); }));
  EXPECT_EQ(run("/apps/hello", refused).status, 503);
  EXPECT_NE(refused.recorder().text_of(Message::queue_full).find("is ready"), std::string::npos);
  start_worker(0, 1);
  for (std::thread& client : clients) client.join();
  for (const auto& exchange : early) EXPECT_EQ(exchange->body(), "hello");
}

TEST_F(RemoteFailure, QueueWithoutALimitHasRoomWhileNoWorkerIsReady) {
  settings_.group.queue = std::numeric_limits<std::uint32_t>::max();
  settings_.socket_paths.resize(1);
  engine();
  FakeExchange early;
  std::thread client([&] { run("/apps/hello", early); });
  EXPECT_TRUE(wait_until([&] { return scoreboard_->waiting() == 1; }));
  start_worker(0);
  client.join();
  EXPECT_EQ(early.body(), "hello");
}

TEST_F(RemoteFailure, RequestWaitsForAFreeThread) {
  start_worker(0, 1);
  engine();
  FakeExchange held, waiting;
  std::thread first([&] { run("/apps/held", held); });
  EXPECT_TRUE(wait_until([&] { return entered_.load(); }));
  std::thread second([&] { run("/apps/hello", waiting); });
  EXPECT_TRUE(wait_until([&] { return scoreboard_->waiting() == 1; }));
  release_.count_down();
  first.join();
  second.join();
  EXPECT_EQ(waiting.body(), "hello");
}

TEST_F(RemoteFailure, ThreadOfARequestThatItsClientHasLeftGetsNoOther) {
  start_worker(0, 1);
  FakeExchange left, next, queued;
  std::thread client([&] { run("/apps/held", left); });
  EXPECT_TRUE(wait_until([&] { return entered_.load(); }));
  left.leave();
  client.join();
  EXPECT_EQ(scoreboard_->status(0).outstanding, 0u);
  start_worker(1, 1);
  EXPECT_EQ(run("/apps/hello", next).kind, Outcome::Kind::complete);
  scoreboard_->set_state(1, scoreboard::SlotState::draining);
  std::thread waiting([&] { EXPECT_EQ(run("/apps/hello", queued).status, 0); });
  EXPECT_TRUE(wait_until([&] { return scoreboard_->waiting() == 1; }));
  release_.count_down();
  waiting.join();
  EXPECT_EQ(queued.body(), "hello");
}

TEST_F(RemoteFailure, QueueTimeoutStrikesWhileTheRequestWaits) {
  settings_.group.queue_timeout = 20ms;
  start_worker(0, 1);
  FakeExchange held, late;
  std::thread client([&] { run("/apps/held", held); });
  EXPECT_TRUE(wait_until([&] { return entered_.load(); }));
  EXPECT_EQ(run("/apps/hello", late).status, 504);
  EXPECT_NE(late.recorder().text_of(Message::queue_timeout), "");
  release_.count_down();
  client.join();
  EXPECT_EQ(applications_.runs(), 1u);
}

TEST_F(RemoteFailure, GroupWithoutAWorkerIsUnavailable) {
  settings_.group.connect_timeout = 20ms;
  FakeExchange exchange;
  EXPECT_EQ(run("/apps/hello", exchange).status, 503);
  EXPECT_THAT(exchange.recorder().text_of(Message::worker_unreachable), HasSubstr("'blog'"));
}

TEST_F(RemoteFailure, RequestWaitsForAWorkerThatIsStarting) {
  FakeExchange exchange;
  engine();
  std::thread client([&] { run("/apps/hello", exchange); });
  EXPECT_TRUE(wait_until([&] { return scoreboard_->waiting() == 1; }));
  start_worker(2);
  client.join();
  EXPECT_EQ(exchange.body(), "hello");
}

TEST_F(RemoteFailure, WorkerRunsOnlyWhatItsGroupServes) {
  applications_.add("/etc/evil", [](const gateway::Target&, gateway::Exchange& exchange) {
    return reply(exchange, "evil");
  });
  start_worker(0);
  for (const std::string_view script : {"/etc/evil", "/apps/../etc/evil"}) {
    FakeExchange exchange;
    EXPECT_EQ(run(script, exchange).status, 500);
    EXPECT_NE(exchange.recorder().text_of(Message::target_refused), "");
  }
  EXPECT_EQ(applications_.runs(), 0u);
}

TEST_F(RemoteFailure, WorkerServesOnlyHttpdsUser) {
  pool_settings_.httpd_uid = ::getuid() + 1;
  settings_.group.connect_timeout = 20ms;
  start_worker(0);
  FakeExchange exchange;
  EXPECT_NE(run("/apps/hello", exchange).status, 200);
  EXPECT_TRUE(wait_until([&] { return worker_log_.text_of(Message::peer_refused) != ""; }));
  EXPECT_EQ(applications_.runs(), 0u);
}

TEST_F(RemoteFailure, ChildBelievesOnlyTheGroupsUser) {
  settings_.worker_uid = ::getuid() + 1;
  settings_.group.connect_timeout = 20ms;
  start_worker(0);
  FakeExchange exchange;
  EXPECT_EQ(run("/apps/hello", exchange).status, 503);
  EXPECT_THAT(exchange.recorder().text_of(Message::worker_unreachable), HasSubstr("is served by"));
  EXPECT_EQ(applications_.runs(), 0u);
}

TEST_F(RemoteFailure, FaultOfABufferedBodyIsTheClients) {
  start_worker(0);
  FakeExchange exchange({.body_steps = {{"part"}, {"", BodyFault::too_slow}}, .chunked = true});
  EXPECT_EQ(run("/apps/hello", exchange).status, 408);
  EXPECT_EQ(applications_.runs(), 0u);
}

TEST_F(RemoteFailure, FaultOfAStreamedBodyReachesTheApplication) {
  applications_.add("/apps/read", [](const gateway::Target&, gateway::Exchange& exchange) {
    const WholeBody body = read_whole_body(exchange);
    EXPECT_EQ(body.bytes, "part");
    EXPECT_EQ(body.fault, BodyFault::too_large);
    return Outcome{Outcome::Kind::refused, gateway::status_of(body.fault)};
  });
  start_worker(0);
  FakeExchange exchange({.body_steps = {{"part"}, {"", BodyFault::too_large}},
                         .chunked = true,
                         .buffering = Buffering::off});
  EXPECT_EQ(run("/apps/read", exchange).status, 413);
}

TEST_F(RemoteFailure, BodyThatCannotBeBufferedIs503) {
  settings_.temporary_folder = "/nonexistent";
  start_worker(0);
  FakeExchange exchange({.body = std::string(100'000, 'x')});
  EXPECT_EQ(run("/apps/hello", exchange).status, 503);
  EXPECT_THAT(exchange.recorder().text_of(Message::spool_failed), HasSubstr("/nonexistent"));
}

}  // namespace
}  // namespace pyhost::test
