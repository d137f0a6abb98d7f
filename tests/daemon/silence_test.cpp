// Workers that do not take what they are sent.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <latch>
#include <thread>

#include "daemon/group_fixture.h"
#include "wire/messages.h"

namespace pyhost::test {
namespace {

using base::Message;
using gateway::Outcome;
using namespace std::chrono_literals;

void send(wire::Connection& connection, std::string_view bytes) {
  wire::FrameBatch batch;
  batch.encoded().append(bytes);
  EXPECT_EQ(connection.write(batch, kPatience), wire::Io::done);
}

std::string frame_of(wire::FrameType type) {
  std::string frame;
  wire::encode_empty(type, frame);
  return frame;
}

// Nothing at the end.
std::optional<wire::FrameType> next_frame(wire::Connection& connection) {
  wire::Frame frame;
  if (connection.read_frame(frame, kPatience) != wire::Io::done) return std::nullopt;
  return frame.type;
}

class Silence : public GroupTest {
 protected:
  void SetUp() override {
    applications_.add("/apps/hello", [](const gateway::Target&, gateway::Exchange& exchange) {
      return reply(exchange, "hello");
    });
    applications_.add("/apps/held", [this](const gateway::Target&, gateway::Exchange& exchange) {
      release_.wait();
      return reply(exchange, "held");
    });
  }

  // A worker in slot 0 that accepts one connection, and then does nothing.
  void accept_one(const base::UniqueFd& listening) {
    wire::Connection accepted(base::UniqueFd(::accept4(listening.get(), nullptr, nullptr, 0)),
                              wire::Descriptors::refused);
    wire::FrameBatch hello;
    wire::encode_hello({.pid = static_cast<std::uint32_t>(::getpid()), .generation = 1},
                       hello.encoded());
    EXPECT_EQ(accepted.write(hello, kPatience), wire::Io::done);
    accepted_ = std::make_unique<wire::Connection>(std::move(accepted));
  }
  std::jthread accept_soon(const base::UniqueFd& listening) {
    return std::jthread([&] { accept_one(listening); });
  }

  std::string body_of(std::string_view script, std::string body = "") {
    FakeExchange exchange({.body = std::move(body)});
    EXPECT_EQ(run(script, exchange).kind, Outcome::Kind::complete);
    return exchange.body();
  }
  // Keeps the one thread of a worker in slot 1 busy until release_.
  std::jthread keep_busy() {
    std::jthread held([this] { EXPECT_EQ(body_of("/apps/held"), "held"); });
    EXPECT_TRUE(wait_until([this] { return scoreboard_->status(1).outstanding == 1; }));
    return held;
  }
  // A request that waits for a worker.
  std::jthread enqueue() {
    std::jthread queued([this] { EXPECT_EQ(body_of("/apps/hello"), "hello"); });
    EXPECT_TRUE(wait_until([this] { return scoreboard_->waiting() == 1; }));
    return queued;
  }
  bool is_noted() const {
    return wait_until([this] { return scoreboard_->status(0).silent; });
  }

  std::unique_ptr<wire::Connection> accepted_;
  std::latch release_{1};
};

// How many connections wait to be accepted.
int waiting_at(int listening) {
  ::fcntl(listening, F_SETFL, O_NONBLOCK);
  int number = 0;
  while (base::UniqueFd(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC)).valid()) ++number;
  return number;
}

TEST_F(Silence, OfAWorkerThatAcceptsNothingIsRememberedByAllRequests) {
  const base::UniqueFd listening = declare_worker(0);
  start_worker(1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(body_of("/apps/hello"), "hello");
  EXPECT_TRUE(scoreboard_->status(0).silent);
  EXPECT_EQ(waiting_at(listening.get()), 1);
}

TEST_F(Silence, OfAWorkerThatReadsNothingGivesTheRequestToAnother) {
  const base::UniqueFd listening = declare_worker(0);
  start_worker(1);
  std::jthread worker = accept_soon(listening);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(body_of("/apps/hello"), "hello");
  EXPECT_EQ(applications_.runs(), 5u);
  EXPECT_TRUE(scoreboard_->status(0).silent);
  worker.join();
  // Should it wake up, it knows that the request is not its own.
  EXPECT_EQ(next_frame(*accepted_), wire::FrameType::greeting);
  EXPECT_EQ(next_frame(*accepted_), wire::FrameType::request);
  EXPECT_TRUE(accepted_->is_cancelled());
}

TEST_F(Silence, OfAWorkerWhoseSocketIsFullGivesTheRequestToAnother) {
  settings_.group.receive_buffer_size_bytes = 4096;
  const base::UniqueFd listening = declare_worker(0);
  start_worker(1);
  const std::jthread worker = accept_soon(listening);
  EXPECT_EQ(body_of("/apps/hello", std::string(60'000, 'x')), "hello");
  EXPECT_EQ(applications_.runs(), 1u);
  EXPECT_TRUE(scoreboard_->status(0).silent);
}

TEST_F(Silence, OfTheOnlyWorkerIsWaitedThrough) {
  base::UniqueFd listening = declare_worker(0);
  engine();
  std::string body;
  std::jthread client([&] { body = body_of("/apps/hello"); });
  EXPECT_TRUE(is_noted());
  serve_slot(0, std::move(listening));
  client.join();
  EXPECT_EQ(body, "hello");
  EXPECT_FALSE(scoreboard_->status(0).silent);
}

TEST_F(Silence, EndsWhenTheRequestIsRead) {
  const base::UniqueFd listening = declare_worker(0);
  engine();
  std::string body;
  std::jthread client([&] { body = body_of("/apps/hello"); });
  accept_one(listening);
  EXPECT_TRUE(is_noted());
  EXPECT_EQ(next_frame(*accepted_), wire::FrameType::greeting);
  EXPECT_EQ(next_frame(*accepted_), wire::FrameType::request);
  EXPECT_TRUE(wait_until([this] { return !scoreboard_->status(0).silent; }));
  wire::FrameBatch batch;
  ASSERT_TRUE(wire::encode_head({}, batch.encoded()));
  wire::encode_body(wire::FrameType::reply_body, "late", batch.encoded());
  wire::encode_end({}, batch.encoded());
  EXPECT_EQ(accepted_->write(batch, kPatience), wire::Io::done);
  client.join();
  EXPECT_EQ(body, "late");
}

TEST_F(Silence, LeavesTheRequestsOfOthersInTheQueueOfThoseThatRun) {
  const base::UniqueFd listening = declare_worker(0);
  scoreboard_->note_silence(0, 1);
  start_worker(1, 1);
  engine();
  std::jthread held = keep_busy();
  std::jthread queued = enqueue();
  EXPECT_EQ(scoreboard_->status(0).outstanding, 0u);
  release_.count_down();
  held.join();
  queued.join();
  EXPECT_EQ(waiting_at(listening.get()), 0);
}

// A request that came before the silence was known.
TEST_F(Silence, IsLeftForTheQueueWhenItLasts) {
  start_worker(1, 1);
  engine();
  std::jthread held = keep_busy();
  const base::UniqueFd listening = declare_worker(0);
  std::jthread left([&] { EXPECT_EQ(body_of("/apps/hello"), "hello"); });
  EXPECT_TRUE(wait_until([&] { return scoreboard_->status(0).outstanding == 1; }));
  EXPECT_TRUE(wait_until([&] { return scoreboard_->waiting() == 1; }));
  EXPECT_EQ(scoreboard_->status(0).outstanding, 0u);
  release_.count_down();
}

TEST_F(Silence, EndsTheWaitOfAllWhenItEnds) {
  base::UniqueFd listening = declare_worker(0);
  scoreboard_->note_silence(0, 1);
  start_worker(1, 1);
  engine();
  std::jthread held = keep_busy();
  std::jthread queued = enqueue();
  serve_slot(0, std::move(listening));
  scoreboard_->note_sign_of_life(0, 1);
  queued.join();
  release_.count_down();
}

// --- The worker's side ---

std::string request_for(std::string_view script, const gateway::GroupSecret& secret,
                        bool body_follows = false) {
  std::string frames;
  wire::encode_greeting(secret, frames);
  EXPECT_TRUE(
      wire::encode_request({.target = {.script = script}, .body_follows = body_follows}, frames));
  return frames;
}

TEST_F(Silence, RequestThatWasTakenBackIsNotRun) {
  start_worker(0);
  wire::Connection raw = connect_to(0);
  send(raw, request_for("/apps/hello", {}) + frame_of(wire::FrameType::cancel));
  EXPECT_EQ(next_frame(raw), wire::FrameType::hello);
  EXPECT_EQ(next_frame(raw), wire::FrameType::retry);
  EXPECT_EQ(next_frame(raw), std::nullopt);
  EXPECT_EQ(applications_.runs(), 0u);
}

TEST_F(Silence, RequestThatIsTakenBackTooLateGoesOn) {
  applications_.add("/apps/late", [this](const gateway::Target&, gateway::Exchange& exchange) {
    release_.wait();
    EXPECT_FALSE(exchange.client_gone());
    return reply(exchange, read_whole_body(exchange).bytes);
  });
  start_worker(0);
  wire::Connection raw = connect_to(0);
  send(raw, request_for("/apps/late", {}, true));
  EXPECT_EQ(next_frame(raw), wire::FrameType::hello);
  EXPECT_TRUE(wait_until([&] { return applications_.runs() == 1 && !raw.has_unread(); }));
  EXPECT_EQ(raw.cancel(), wire::Connection::Cancelled::undecided);
  release_.count_down();
  EXPECT_EQ(next_frame(raw), wire::FrameType::need_body);
  // The second one meets a worker that waits for the body.
  EXPECT_EQ(raw.cancel(), wire::Connection::Cancelled::undecided);
  std::string body;
  wire::encode_body(wire::FrameType::body, "late", body);
  send(raw, body);
  EXPECT_EQ(next_frame(raw), wire::FrameType::need_body);
  body.clear();
  wire::encode_body_end(gateway::BodyFault::none, body);
  send(raw, body);
  EXPECT_EQ(next_frame(raw), wire::FrameType::head);
  EXPECT_EQ(next_frame(raw), wire::FrameType::reply_body);
  EXPECT_EQ(next_frame(raw), wire::FrameType::end);
}

}  // namespace
}  // namespace pyhost::test
