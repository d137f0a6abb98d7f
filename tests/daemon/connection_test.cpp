// How a request gets a connection to a worker, and what it does when there is none.
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <thread>

#include "daemon/group_fixture.h"
#include "pyhost/gateway/build_id.h"
#include "wire/messages.h"

namespace pyhost::test {
namespace {

using base::Message;
using gateway::Outcome;
using ::testing::AllOf;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class RemoteConnection : public GroupTest {
 protected:
  void SetUp() override {
    applications_.add("/apps/hello", [](const gateway::Target&, gateway::Exchange& exchange) {
      return reply(exchange, "hello");
    });
  }

  // Whether a request is, sooner or later.
  bool is_served() {
    return wait_until([&] {
      FakeExchange exchange;
      return run("/apps/hello", exchange).kind == Outcome::Kind::complete;
    });
  }
  bool request_waits() const {
    return wait_until([&] { return scoreboard_->waiting() == 1; });
  }
  bool has_place_at(std::uint32_t slot) const {
    return wait_until([&] { return scoreboard_->status(slot).outstanding == 1; });
  }
};

// Lets this process open no descriptor until the end of its scope.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const base::UniqueFd first_free(::dup(STDIN_FILENO));
    const rlimit none{.rlim_cur = static_cast<rlim_t>(first_free.get()),
                      .rlim_max = before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;
  ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(RemoteConnection, BriefLackOfDescriptorsIsWaitedFor) {
  settings_.group.connect_timeout = 2 * kPatience;
  start_worker(0);
  engine();
  FakeExchange exchange;
  std::thread client;
  {
    const NoMoreDescriptors none;
    client = std::thread([&] { run("/apps/hello", exchange); });
    EXPECT_TRUE(request_waits());
  }
  client.join();
  EXPECT_EQ(exchange.body(), "hello");
}

TEST_F(RemoteConnection, LastingLackOfDescriptorsIsNamed) {
  settings_.group.connect_timeout = 20ms;
  start_worker(0);
  engine();
  FakeExchange exchange;
  {
    const NoMoreDescriptors none;
    EXPECT_EQ(run("/apps/hello", exchange).status, 503);
  }
  EXPECT_THAT(exchange.recorder().text_of(Message::worker_unreachable),
              HasSubstr("Too many open files"));
}

TEST_F(RemoteConnection, FullBacklogIsWaitedForOutsideOfTheWorker) {
  settings_.group.connect_timeout = 2 * kPatience;
  base::UniqueFd listening = declare_worker(0);
  ASSERT_EQ(::listen(listening.get(), 0), 0);  // room for one
  const wire::Connection other = connect_to(0);
  engine();
  FakeExchange exchange;
  std::thread client([&] { run("/apps/hello", exchange); });
  EXPECT_TRUE(request_waits());
  serve_slot(0, std::move(listening));
  client.join();
  EXPECT_EQ(exchange.body(), "hello");
}

TEST_F(RemoteConnection, TimeInTheQueueIsNotTimeWithoutAWorker) {
  settings_.group.connect_timeout = 4s;
  std::latch release(1);
  applications_.add("/apps/held", [&](const gateway::Target&, gateway::Exchange& exchange) {
    release.wait();
    return reply(exchange, "held");
  });
  start_worker(0, 1);
  engine();
  FakeExchange held, queued;
  std::thread first([&] { run("/apps/held", held); });
  EXPECT_TRUE(has_place_at(0));
  std::thread second([&] { run("/apps/hello", queued); });
  EXPECT_TRUE(request_waits());
  std::this_thread::sleep_for(settings_.group.connect_timeout);
  scoreboard_->set_state(0, scoreboard::SlotState::dead);
  EXPECT_FALSE(wait_until([&] { return scoreboard_->waiting() == 0; }, 100ms));
  start_worker(1);
  second.join();
  EXPECT_EQ(queued.body(), "hello");
  release.count_down();
  first.join();
}

// --- Nobody accepts the connection ---

// The socket of a worker outlives it.
TEST_F(RemoteConnection, WorkerThatDiesBeforeItAcceptsIsLeftForAnother) {
  const base::UniqueFd listening = declare_worker(0);
  engine();
  FakeExchange exchange;
  std::thread client([&] { run("/apps/hello", exchange); });
  EXPECT_TRUE(has_place_at(0));
  start_worker(1);
  scoreboard_->record_death(0, {.cause = scoreboard::DeathCause::exited, .generation = 1});
  client.join();
  EXPECT_EQ(exchange.body(), "hello");
}

TEST_F(RemoteConnection, WorkerThatStandsByBeforeItAcceptsIsLeftForAnother) {
  const base::UniqueFd listening = declare_worker(0);
  engine();
  FakeExchange exchange;
  std::thread client([&] { run("/apps/hello", exchange); });
  EXPECT_TRUE(has_place_at(0));
  start_worker(1);
  EXPECT_TRUE(scoreboard_.writer(0, 1).stand_by());
  client.join();
  EXPECT_EQ(exchange.body(), "hello");
}

TEST_F(RemoteConnection, SuccessorHasTheRequestOnce) {
  base::UniqueFd listening = declare_worker(0);
  engine();
  FakeExchange exchange, next;
  std::thread client([&] { run("/apps/hello", exchange); });
  EXPECT_TRUE(has_place_at(0));
  scoreboard_->begin_generation(0, ::getpid(), 2, 4);
  EXPECT_TRUE(request_waits());
  pool_settings_.generation = 2;
  scoreboard_->set_state(0, scoreboard::SlotState::ready);
  serve_slot(0, std::move(listening));
  client.join();
  EXPECT_EQ(exchange.body(), "hello");
  run("/apps/hello", next);
  EXPECT_EQ(applications_.runs(), 2u);
}

TEST_F(RemoteConnection, WorkerThatAcceptsNothingIsLeftForAnother) {
  settings_.group.connect_timeout = 20ms;
  start_worker(1);
  ASSERT_TRUE(is_served());  // leaves a connection open
  const base::UniqueFd listening = declare_worker(0);
  FakeExchange exchange;
  run("/apps/hello", exchange);
  EXPECT_EQ(exchange.body(), "hello");
}

TEST_F(RemoteConnection, WorkerThatAcceptsNothingIsUnreachable) {
  settings_.group.connect_timeout = 20ms;
  base::UniqueFd listening = declare_worker(0);
  FakeExchange exchange;
  EXPECT_EQ(run("/apps/hello", exchange).status, 503);
  EXPECT_THAT(exchange.recorder().text_of(Message::worker_unreachable),
              HasSubstr("accepted no connection"));
  serve_slot(0, std::move(listening));
  EXPECT_TRUE(is_served());
  EXPECT_EQ(applications_.runs(), 1u);
}

TEST_F(RemoteConnection, ClientThatLeavesMeanwhileIsNoticed) {
  settings_.group.connect_timeout = 2 * kPatience;
  const base::UniqueFd listening = declare_worker(0);
  engine();
  FakeExchange exchange;
  std::thread client([&] { run("/apps/hello", exchange); });
  EXPECT_TRUE(has_place_at(0));
  exchange.leave();
  client.join();
  EXPECT_NE(exchange.recorder().text_of(Message::client_left), "");
  EXPECT_EQ(scoreboard_->status(0).outstanding, 0u);
}

// Behind its build it may say anything, in any form.
TEST_F(RemoteConnection, ToAWorkerOfAnotherBuildIsGivenNothing) {
  const base::UniqueFd listening = declare_worker(0);
  std::jthread other([&] {
    wire::Connection connection(base::UniqueFd(::accept4(listening.get(), nullptr, nullptr, 0)),
                                wire::Descriptors::refused);
    wire::FrameBatch hello;
    wire::encode_hello({}, hello.encoded());
    ++hello.encoded()[hello.encoded().find(gateway::kBuildId)];
    EXPECT_EQ(connection.write(hello, kPatience), wire::Io::done);
    wire::Frame frame;
    EXPECT_EQ(connection.read_frame(frame, kPatience), wire::Io::closed);
  });
  FakeExchange exchange;
  const Outcome outcome = run("/apps/hello", exchange);
  EXPECT_EQ(outcome.kind, Outcome::Kind::refused);
  EXPECT_EQ(outcome.status, 503);
  EXPECT_THAT(exchange.recorder().text_of(Message::worker_of_another_build),
              AllOf(HasSubstr("of process group 'blog', slot 0, is of build "),
                    HasSubstr(std::string("and httpd's module of build ") + gateway::kBuildId +
                              "; /apps/hello was not run")));
}

TEST_F(RemoteConnection, IsKeptForAsManyRequestsAsTheWorkerSays) {
  std::atomic<unsigned> accepted = 0;
  const base::UniqueFd listening = declare_worker(0);
  std::jthread worker([&] {
    for (int i = 0; i < 2; ++i) {
      wire::Connection connection(base::UniqueFd(::accept4(listening.get(), nullptr, nullptr, 0)),
                                  wire::Descriptors::refused);
      ++accepted;
      wire::FrameBatch batch;
      wire::encode_hello({.pid = static_cast<std::uint32_t>(::getpid()), .capacity = 0},
                         batch.encoded());
      EXPECT_EQ(connection.write(batch, kPatience), wire::Io::done);
      wire::Frame frame;
      do {
        EXPECT_EQ(connection.read_frame(frame, kPatience), wire::Io::done);
      } while (frame.type != wire::FrameType::request);
      batch.clear();
      EXPECT_TRUE(wire::encode_head({.status = 204}, batch.encoded()));
      wire::encode_end({}, batch.encoded());
      EXPECT_EQ(connection.write(batch, kPatience), wire::Io::done);
      // The child has no use for it.
      EXPECT_EQ(connection.read_frame(frame, kPatience), wire::Io::closed);
    }
  });
  for (int i = 0; i < 2; ++i) {
    FakeExchange exchange;
    EXPECT_EQ(run("/apps/hello", exchange).kind, Outcome::Kind::complete);
  }
  worker.join();
  EXPECT_EQ(accepted, 2u);
}

}  // namespace
}  // namespace pyhost::test
