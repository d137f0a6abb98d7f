#include "worker/worker_exchange.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <thread>

#include "harness/log_recorder.h"
#include "harness/wait.h"

namespace pyhost::worker {
namespace {

using base::LogLevel;
using base::Message;
using gateway::ReplyPart;
using gateway::SendResult;
using test::kPatience;
using testing::HasSubstr;
using wire::Descriptors;
using wire::FrameType;
using wire::Io;

constexpr auto kOverdue = gateway::FailureCause::request_timeout;

// A request whose child is the test.
class WorkerExchangeTest : public testing::Test {
 protected:
  WorkerExchangeTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const int smallest = 0;
    EXPECT_EQ(::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &smallest, sizeof smallest), 0);
    worker_.emplace(base::UniqueFd(ends[0]), Descriptors::refused);
    child_.emplace(base::UniqueFd(ends[1]), Descriptors::refused);
    std::string request;
    EXPECT_TRUE(wire::encode_request({.target = {.script = "/apps/slow"}}, request));
    request.erase(0, wire::kHeaderBytes);
    EXPECT_TRUE(exchange_.begin(*worker_, request, [] {}));
  }

  SendResult begin_reply() {
    const gateway::ResponseHead head;
    return exchange_.send({.head = &head, .then = ReplyPart::Then::pause});
  }

  // As a reply does that the child is slow to take. The kernel takes a small frame whole or not.
  void fill_connection() {
    std::string frame;
    wire::encode_empty(FrameType::flush, frame);
    while (::send(worker_->fd(), frame.data(), frame.size(), MSG_DONTWAIT) > 0) {
    }
  }

  // The types of what the child gets until `last`, without FLUSH.
  std::vector<FrameType> frames_until(FrameType last) {
    std::vector<FrameType> types;
    wire::Frame frame;
    while (frame.type != last && child_->read_frame(frame, kPatience) == Io::done) {
      if (frame.type != FrameType::flush) types.push_back(frame.type);
    }
    return types;
  }

  std::uint64_t number() const { return exchange_.clock().running().value().number; }

  test::LogRecorder process_log_;
  WorkerExchange exchange_{process_log_, kPatience, {}};
  std::optional<wire::Connection> worker_, child_;
};

TEST_F(WorkerExchangeTest, NoteReachesItsRequest) {
  exchange_.note(number(), LogLevel::warn, Message::request_interrupted, "overdue");
  EXPECT_EQ(frames_until(FrameType::log), std::vector{FrameType::log});
  EXPECT_EQ(process_log_.text(), "");
}

TEST_F(WorkerExchangeTest, NoteThatFindsTheConnectionFullCostsNoReply) {
  EXPECT_EQ(begin_reply(), SendResult::sent);
  fill_connection();
  exchange_.note(number(), LogLevel::warn, Message::request_interrupted, "overdue");
  EXPECT_EQ(process_log_.text_of(Message::request_interrupted), "overdue\n");
  EXPECT_EQ(frames_until(FrameType::head), std::vector{FrameType::head});
  std::jthread child([this] {
    EXPECT_EQ(frames_until(FrameType::end), (std::vector{FrameType::reply_body, FrameType::end}));
  });
  const std::string_view block = "as far as I came";
  EXPECT_EQ(exchange_.send({.blocks = {&block, 1}, .then = ReplyPart::Then::end}),
            SendResult::sent);
}

TEST_F(WorkerExchangeTest, NoteThatLeftInPartEndsTheReply) {
  EXPECT_EQ(begin_reply(), SendResult::sent);
  exchange_.note(number(), LogLevel::warn, Message::busy_stacks, std::string(100'000, 'x'));
  EXPECT_EQ(process_log_.text_of(Message::busy_stacks).size(), 100'001u);
  EXPECT_THAT(process_log_.text_of(Message::child_gone), HasSubstr("/apps/slow"));
  EXPECT_TRUE(exchange_.client_gone());
}

TEST_F(WorkerExchangeTest, UsesTheLittleRoomThatASlowChildMakes) {
  fill_connection();
  std::jthread application([this] {
    const std::string_view block = "slowly";
    EXPECT_EQ(exchange_.send({.blocks = {&block, 1}}), SendResult::sent);
  });
  // Sending begins.
  const std::uint64_t another = number() + 1;
  EXPECT_TRUE(test::wait_until([&] { return !exchange_.give_up(another, kOverdue, ""); }));
  wire::HeaderBytes flush{};
  EXPECT_EQ(::recv(child_->fd(), flush.data(), flush.size(), 0), ssize_t(flush.size()));
}

TEST_F(WorkerExchangeTest, IsAnsweredWhenItIsGivenUp) {
  EXPECT_TRUE(exchange_.give_up(number(), kOverdue, "overdue"));
  EXPECT_EQ(frames_until(FrameType::error), std::vector{FrameType::error});
  EXPECT_EQ(begin_reply(), SendResult::client_gone);
  EXPECT_TRUE(exchange_.give_up(number(), kOverdue, "overdue"));
}

TEST_F(WorkerExchangeTest, SaysThatItCannotBeGivenUpWhileItSends) {
  EXPECT_EQ(begin_reply(), SendResult::sent);
  std::jthread application([this] {
    const std::string block(50'000, 'x');
    const std::string_view view = block;
    EXPECT_EQ(exchange_.send({.blocks = {&view, 1}, .then = ReplyPart::Then::pause}),
              SendResult::sent);
  });
  // From then on it waits for the child.
  const std::uint64_t another = number() + 1;
  EXPECT_TRUE(test::wait_until([&] { return !exchange_.give_up(another, kOverdue, ""); }));
  EXPECT_FALSE(exchange_.give_up(number(), kOverdue, "overdue"));
  EXPECT_EQ(frames_until(FrameType::reply_body),
            (std::vector{FrameType::head, FrameType::reply_body}));
  application.join();
  EXPECT_TRUE(exchange_.give_up(number(), kOverdue, "overdue"));
}

}  // namespace
}  // namespace pyhost::worker
