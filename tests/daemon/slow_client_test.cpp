// Clients that are slow to take their reply, or leave before they have it.
#include <fcntl.h>
#include <gmock/gmock.h>

#include <latch>
#include <thread>

#include "daemon/group_fixture.h"
#include "harness/client_socket.h"

namespace pyhost::test {
namespace {

using base::Message;
using gateway::Outcome;
using gateway::ReplyPart;
using gateway::SendResult;
using Then = ReplyPart::Then;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr std::size_t kBlockBytes = 50'000;

std::string block(std::size_t number) {
  return std::string(kBlockBytes, static_cast<char>('a' + number % 26));
}

SendResult send(gateway::Exchange& exchange, std::string_view bytes, Then then) {
  return exchange.send({.blocks = {&bytes, 1}, .then = then});
}

SendResult begin(gateway::Exchange& exchange) {
  const gateway::ResponseHead head;
  return exchange.send({.head = &head, .then = Then::pause});
}

class SlowClient : public GroupTest {
 protected:
  // After the head the application waits until the test lets it send so many blocks.
  void add_application(std::size_t blocks, Then then) {
    applications_.add("/apps/large",
                      [this, blocks, then](const gateway::Target&, gateway::Exchange& exchange) {
                        begin(exchange);
                        go_on_.wait();
                        for (std::size_t i = 0; i < blocks; ++i) {
                          if (send(exchange, block(i), then) != SendResult::sent) {
                            told_ = true;
                            return Outcome{};
                          }
                          ++blocks_sent_;
                        }
                        exchange.send({.then = Then::end});
                        return Outcome{};
                      });
  }

  static std::string whole_body(std::size_t blocks) {
    std::string body;
    for (std::size_t i = 0; i < blocks; ++i) body += block(i);
    return body;
  }

  // Runs the request until the head has come; then the client takes nothing more.
  void run_until_stalled(FakeExchange& exchange) {
    start_worker(0);
    engine();
    request_ = std::thread([this, &exchange] { outcome_ = run("/apps/large", exchange); });
    EXPECT_TRUE(wait_until([&] { return exchange.parts_sent() != 0; }));
    client_.stall();
    go_on_.count_down();
  }

  bool worker_is_free() { return scoreboard_->status(0).outstanding == 0; }

  ClientSocket client_;
  std::latch go_on_{1};
  std::atomic<std::size_t> blocks_sent_ = 0;
  std::atomic<bool> told_ = false;
  std::thread request_;
  Outcome outcome_;
};

TEST_F(SlowClient, KeepsNoWorkerWaiting) {
  constexpr std::size_t kBlocks = 60;
  settings_.group.response_socket_timeout = kPatience;
  add_application(kBlocks, Then::pause);
  FakeExchange exchange({.client_socket = client_.server_end()});
  run_until_stalled(exchange);
  EXPECT_TRUE(wait_until([&] { return worker_is_free(); }));
  EXPECT_EQ(exchange.bytes_sent(), 0u);
  client_.resume();
  request_.join();
  EXPECT_EQ(outcome_.kind, Outcome::Kind::complete);
  EXPECT_TRUE(exchange.ended());
  EXPECT_TRUE(exchange.body() == whole_body(kBlocks));
}

TEST_F(SlowClient, IsLeftToHttpdOnceTheReplyIsComplete) {
  constexpr std::size_t kBlocks = 60;
  add_application(kBlocks, Then::more);
  FakeExchange exchange({.client_socket = client_.server_end()});
  run_until_stalled(exchange);
  request_.join();
  EXPECT_EQ(outcome_.kind, Outcome::Kind::complete);
  EXPECT_TRUE(exchange.ended());
  EXPECT_TRUE(exchange.body() == whole_body(kBlocks));
}

TEST_F(SlowClient, IsFollowedAtItsOwnPace) {
  constexpr std::size_t kBlocks = 200;
  settings_.group.response_socket_timeout = kPatience;
  settings_.group.response_buffer_size_bytes = 1 << 20;
  add_application(kBlocks, Then::pause);
  FakeExchange exchange({.client_socket = client_.server_end()});
  run_until_stalled(exchange);
  std::atomic<bool> over = false;
  std::thread client([&] {
    while (!over) {
      const std::size_t before = exchange.bytes_sent();
      client_.resume();
      EXPECT_TRUE(wait_until([&] { return over || exchange.bytes_sent() != before; }));
      client_.stall();
    }
  });
  request_.join();
  over = true;
  client.join();
  EXPECT_TRUE(exchange.body() == whole_body(kBlocks));
}

TEST_F(SlowClient, HoldsTheWorkerWhenTheBufferIsFull) {
  constexpr std::size_t kBlocks = 100;
  settings_.group.response_buffer_size_bytes = 64 * 1024;
  pool_settings_.socket_timeout = 50ms;
  add_application(kBlocks, Then::pause);
  FakeExchange exchange({.client_socket = client_.server_end()});
  run_until_stalled(exchange);
  EXPECT_TRUE(wait_until([&] { return told_.load(); }));
  EXPECT_THAT(worker_log_.text_of(Message::child_gone), HasSubstr("did not take the reply"));
  // What the buffer, the connection's own and the system's take.
  EXPECT_LT(blocks_sent_ * kBlockBytes, 1'000'000u);
  client_.resume();
  request_.join();
  EXPECT_EQ(outcome_.kind, Outcome::Kind::broken);
}

// It is for the child to judge its client: see IsGivenUpAfterResponseSocketTimeout.
TEST_F(SlowClient, HasItsTimeAlsoWhenThatIsLongerThanSocketTimeout) {
  constexpr std::size_t kBlocks = 100;
  settings_.group.response_buffer_size_bytes = 64 * 1024;
  settings_.group.response_socket_timeout = kPatience;
  pool_settings_.group.response_socket_timeout = kPatience;
  pool_settings_.socket_timeout = 50ms;
  add_application(kBlocks, Then::pause);
  FakeExchange exchange({.client_socket = client_.server_end()});
  run_until_stalled(exchange);
  EXPECT_FALSE(wait_until([&] { return told_.load(); }, 3s));
  client_.resume();
  request_.join();
  EXPECT_EQ(outcome_.kind, Outcome::Kind::complete);
  EXPECT_TRUE(exchange.body() == whole_body(kBlocks));
}

TEST_F(SlowClient, IsGivenUpAfterResponseSocketTimeout) {
  settings_.group.response_socket_timeout = 20ms;
  settings_.group.response_buffer_size_bytes = 64 * 1024;
  add_application(1'000, Then::pause);
  FakeExchange exchange({.client_socket = client_.server_end()});
  run_until_stalled(exchange);
  request_.join();
  EXPECT_EQ(outcome_.kind, Outcome::Kind::broken);
  EXPECT_THAT(exchange.recorder().text_of(Message::client_slow), HasSubstr("for 0.02 s"));
  EXPECT_TRUE(wait_until([&] { return told_.load(); }));
}

TEST_F(SlowClient, IsGivenUpWhenTheWorkerHasLongBeenFree) {
  // Enough for the worker to send everything.
  settings_.group.response_socket_timeout = 500ms;
  add_application(20, Then::more);
  FakeExchange exchange({.client_socket = client_.server_end()});
  run_until_stalled(exchange);
  request_.join();
  EXPECT_EQ(outcome_.kind, Outcome::Kind::broken);
  EXPECT_NE(exchange.recorder().text_of(Message::client_slow), "");
  EXPECT_EQ(blocks_sent_, 20u);
}

TEST_F(SlowClient, IsWaitedForWhenNothingCanBeKept) {
  constexpr std::size_t kBlocks = 60;
  settings_.temporary_folder = "/nonexistent";
  add_application(kBlocks, Then::pause);
  FakeExchange exchange({.client_socket = client_.server_end()});
  run_until_stalled(exchange);
  request_.join();
  EXPECT_EQ(outcome_.kind, Outcome::Kind::complete);
  EXPECT_TRUE(exchange.body() == whole_body(kBlocks));
  EXPECT_THAT(exchange.recorder().text_of(Message::spool_failed), HasSubstr("/nonexistent"));
}

TEST_F(SlowClient, IsReadAheadForUntilThePauseWhenItHasNoSocket) {
  constexpr std::size_t kBlocks = 60;
  add_application(kBlocks, Then::more);
  FakeExchange exchange;
  start_worker(0);
  go_on_.count_down();
  EXPECT_EQ(run("/apps/large", exchange).kind, Outcome::Kind::complete);
  EXPECT_TRUE(exchange.body() == whole_body(kBlocks));
  // The head, the first piece, what was kept in memory and in the file, the end.
  EXPECT_LE(exchange.parts().size(), 4u);
}

TEST_F(SlowClient, GetsAFileAndWhatFollowsInOrder) {
  const std::string path = folder_.write("data", "0123456789");
  applications_.add("/apps/file", [&](const gateway::Target&, gateway::Exchange& exchange) {
    const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const gateway::FileRange range{.fd = file.get(), .offset = 2, .length = 3};
    const gateway::ResponseHead head;
    const std::string_view first = "first ";
    exchange.send({.head = &head, .blocks = {&first, 1}, .file = &range, .then = Then::more});
    exchange.send({.file = &range, .then = Then::more});
    send(exchange, " last", Then::end);
    return Outcome{};
  });
  start_worker(0);
  FakeExchange exchange({.client_socket = client_.server_end()});
  client_.stall();
  EXPECT_EQ(run("/apps/file", exchange).kind, Outcome::Kind::complete);
  EXPECT_EQ(exchange.body(), "first 234234 last");
}

TEST_F(SlowClient, GetsBlocksTogetherThatComeWithinResponseFlushDelay) {
  settings_.group.response_flush_delay = kPatience;
  applications_.add("/apps/stream", [](const gateway::Target&, gateway::Exchange& exchange) {
    begin(exchange);
    send(exchange, "one ", Then::pause);
    send(exchange, "two ", Then::pause);
    send(exchange, "three", Then::pause);
    exchange.send({.then = Then::end});
    return Outcome{};
  });
  start_worker(0);
  FakeExchange exchange({.client_socket = client_.server_end()});
  EXPECT_EQ(run("/apps/stream", exchange).kind, Outcome::Kind::complete);
  EXPECT_EQ(exchange.body(), "one two three");
  EXPECT_LE(exchange.parts().size(), 3u);  // the head, what was kept, the end
}

// --- Clients that leave --------------------------------------------------------------------------

class LeavingClient : public SlowClient {
 protected:
  void SetUp() override {
    applications_.add("/apps/held", [this](const gateway::Target&, gateway::Exchange& exchange) {
      entered_ = true;
      go_on_.wait();
      told_ = begin(exchange) != SendResult::sent;
      return Outcome{};
    });
  }

  std::atomic<bool> entered_ = false;
};

TEST_F(LeavingClient, IsNoticedBeforeTheReply) {
  start_worker(0);
  engine();
  FakeExchange exchange({.client_socket = client_.server_end()});
  std::thread request([&] { outcome_ = run("/apps/held", exchange); });
  EXPECT_TRUE(wait_until([&] { return entered_.load(); }));
  client_.leave();
  request.join();
  EXPECT_EQ(outcome_.kind, Outcome::Kind::refused);
  EXPECT_EQ(outcome_.status, 400);
  EXPECT_THAT(exchange.recorder().text_of(Message::client_left), HasSubstr("/apps/held"));
  EXPECT_TRUE(worker_is_free());
  go_on_.count_down();
  EXPECT_TRUE(wait_until([&] { return told_.load(); }));
}

TEST_F(LeavingClient, IsNoticedWithoutASocket) {
  start_worker(0);
  engine();
  FakeExchange exchange;
  std::thread request([&] { outcome_ = run("/apps/held", exchange); });
  EXPECT_TRUE(wait_until([&] { return entered_.load(); }));
  exchange.leave();
  request.join();
  EXPECT_EQ(outcome_.status, 400);
  go_on_.count_down();
  EXPECT_TRUE(wait_until([&] { return told_.load(); }));
}

TEST_F(LeavingClient, IsNoticedWhileTheApplicationPauses) {
  add_application(10, Then::pause);
  start_worker(0);
  engine();
  FakeExchange exchange({.client_socket = client_.server_end()});
  std::thread request([&] { outcome_ = run("/apps/large", exchange); });
  EXPECT_TRUE(wait_until([&] { return exchange.parts_sent() != 0; }));
  client_.leave();
  request.join();
  EXPECT_EQ(outcome_.kind, Outcome::Kind::broken);
  go_on_.count_down();
  EXPECT_TRUE(wait_until([&] { return told_.load(); }));
  EXPECT_EQ(blocks_sent_, 0u);
}

TEST_F(LeavingClient, IsNotServedWhenItHasLeftTheQueue) {
  start_worker(0, 1);
  engine();
  FakeExchange held, waiting({.client_socket = client_.server_end()});
  std::thread first([&] { run("/apps/held", held); });
  EXPECT_TRUE(wait_until([&] { return entered_.load(); }));
  std::thread second([&] { outcome_ = run("/apps/held", waiting); });
  EXPECT_TRUE(wait_until([&] { return scoreboard_->waiting() == 1; }));
  client_.leave();
  second.join();
  EXPECT_EQ(outcome_.status, 400);
  EXPECT_THAT(waiting.recorder().text_of(Message::client_left), HasSubstr("was not run"));
  go_on_.count_down();
  first.join();
  EXPECT_EQ(applications_.runs(), 1u);
}

}  // namespace
}  // namespace pyhost::test
