// A WebSocket between a httpd child and the worker that a test plays.
#include <gmock/gmock.h>

#include <functional>
#include <latch>
#include <thread>

#include "daemon/group_fixture.h"
#include "daemon/played_worker.h"
#include "pyhost/gateway/tunnel.h"
#include "wire/messages.h"

namespace pyhost::test {
namespace {

using base::Message;
using gateway::FailureCause;
using gateway::Outcome;
using gateway::StreamEnding;
using gateway::Tunnel;
using gateway::WebSocketOffer;
using testing::AllOf;
using testing::HasSubstr;
using wire::FrameType;

constexpr gateway::RunFigures kFigures{.application = std::chrono::microseconds(5)};

std::string encoded_head(const gateway::ResponseHead& head) {
  std::string out;
  EXPECT_TRUE(wire::encode_head(head, out));
  return out;
}

std::string encoded_end() {
  std::string out;
  wire::encode_end(kFigures, out);
  return out;
}

std::string piece(std::string_view bytes) {
  std::string out;
  wire::encode_body(FrameType::reply_body, bytes, out);
  return out;
}

std::string empty_frame(FrameType type) {
  std::string out;
  wire::encode_empty(type, out);
  return out;
}

class WebSocket : public GroupTest {
 protected:
  // Has the worker switch to a stream and play on.
  std::unique_ptr<Tunnel> open(std::function<void(wire::Connection&)> play) {
    worker_ = std::jthread([listening = declare_worker(0), play = std::move(play)] {
      wire::Connection connection = accept_as({.pid = kOwnPid, .generation = 1}, listening.get());
      take_request(connection);
      play(connection);
    });
    const Outcome outcome = run("/apps/chat", exchange_);
    EXPECT_EQ(outcome.kind, Outcome::Kind::complete);
    return exchange_.take_tunnel();
  }

  static std::string read_all(Tunnel& tunnel, std::size_t wanted) {
    std::string all;
    const bool came = wait_until([&] {
      const std::string_view bytes = tunnel.look();
      all += bytes;
      tunnel.consume(bytes.size());
      return all.size() >= wanted || tunnel.ended();
    });
    EXPECT_TRUE(came);
    return all;
  }

  static void wait_for_end(Tunnel& tunnel) {
    EXPECT_TRUE(wait_until([&] {
      static_cast<void>(tunnel.look());
      return tunnel.ended();
    }));
  }

  FakeExchange exchange_{{.web_socket = WebSocketOffer::valid}};
  std::latch goes_on_{1};  // outlives the worker, which may wait for it
  std::jthread worker_;
};

constexpr gateway::ResponseHead kSwitch{.status = 101};

TEST_F(WebSocket, IsAStreamOfBytesBothWays) {
  const auto tunnel = open([](wire::Connection& connection) {
    constexpr gateway::Header kProtocol{"sec-websocket-protocol", "chat"};
    send_text(connection, encoded_head({.status = 101, .headers = {&kProtocol, 1}}) +
                              piece("at once ") + empty_frame(FrameType::flush));
    wire::Frame frame;
    ASSERT_EQ(connection.read_frame(frame, kPatience), wire::Io::done);
    EXPECT_EQ(frame.type, FrameType::body);
    EXPECT_EQ(frame.payload, "hello");
    send_text(connection, piece("and later"));
    take_frame(connection, FrameType::body_end);
    send_text(connection, piece("!") + encoded_end());
  });
  ASSERT_NE(tunnel, nullptr);
  EXPECT_EQ(exchange_.status(), 101);
  EXPECT_EQ(exchange_.header("Sec-WebSocket-Protocol"), "chat");
  EXPECT_EQ(read_all(*tunnel, 8), "at once ");
  EXPECT_EQ(tunnel->send("hello"), 5u);
  EXPECT_EQ(tunnel->flush(), Tunnel::Room::free);
  EXPECT_EQ(read_all(*tunnel, 9), "and later");
  tunnel->send_end();
  EXPECT_EQ(tunnel->flush(), Tunnel::Room::free);
  EXPECT_EQ(read_all(*tunnel, 1), "!");
  wait_for_end(*tunnel);
  const Outcome outcome = tunnel->finish(StreamEnding::worker);
  EXPECT_EQ(outcome.kind, Outcome::Kind::complete);
  EXPECT_EQ(outcome.figures, kFigures);
  EXPECT_EQ(exchange_.recorder().text(), "");
}

TEST_F(WebSocket, KeepsItsPlaceAtTheWorkerUntilItsEnd) {
  const auto tunnel = open([&](wire::Connection& connection) {
    send_text(connection, encoded_head(kSwitch));
    goes_on_.wait();
  });
  ASSERT_NE(tunnel, nullptr);
  EXPECT_EQ(scoreboard_->status(0).outstanding, 1u);
  static_cast<void>(tunnel->finish(StreamEnding::client_gone));
  EXPECT_EQ(scoreboard_->status(0).outstanding, 0u);
  goes_on_.count_down();
}

TEST_F(WebSocket, TellsTheWorkerOfAClientThatIsGone) {
  const auto tunnel = open([](wire::Connection& connection) {
    send_text(connection, encoded_head(kSwitch));
    take_frame(connection, FrameType::abort);
    wire::Frame frame;
    EXPECT_EQ(connection.read_frame(frame, kPatience), wire::Io::closed);
  });
  ASSERT_NE(tunnel, nullptr);
  EXPECT_EQ(tunnel->finish(StreamEnding::client_gone).failure, FailureCause::none);
  EXPECT_EQ(exchange_.recorder().text(), "");
}

TEST_F(WebSocket, TellsTheWorkerToLeave) {
  const auto tunnel = open([](wire::Connection& connection) {
    send_text(connection, encoded_head(kSwitch));
    wire::Frame frame;
    ASSERT_EQ(connection.read_frame(frame, kPatience), wire::Io::done);
    EXPECT_EQ(frame.type, FrameType::leave);
    EXPECT_EQ(wire::decode_leave(frame.payload), gateway::Leaving::restart);
    send_text(connection, encoded_end());
  });
  ASSERT_NE(tunnel, nullptr);
  tunnel->leave(gateway::Leaving::restart);
  EXPECT_EQ(tunnel->flush(), Tunnel::Room::free);
  wait_for_end(*tunnel);
}

TEST_F(WebSocket, TakesNoMoreThanTheWorkerReads) {
  settings_.group.receive_buffer_size_bytes = 4096;
  const auto tunnel = open([&](wire::Connection& connection) {
    send_text(connection, encoded_head(kSwitch));
    goes_on_.wait();
    std::string all;
    wire::Frame frame;
    while (connection.read_frame(frame, kPatience) == wire::Io::done &&
           frame.type == FrameType::body) {
      EXPECT_LE(frame.payload.size(), wire::kBodyFrameBytesMax);
      all += frame.payload;
    }
    EXPECT_EQ(frame.type, FrameType::body_end);
    send_text(connection, piece(std::to_string(all.size())) + encoded_end());
  });
  ASSERT_NE(tunnel, nullptr);
  const std::string bytes(200'000, 'x');
  std::size_t taken = 0;
  while (tunnel->flush() == Tunnel::Room::free) taken += tunnel->send(bytes);
  EXPECT_EQ(tunnel->send(bytes), 0u);
  EXPECT_LT(taken, 1'000'000u);
  tunnel->send_end();
  goes_on_.count_down();
  EXPECT_TRUE(wait_until([&] { return tunnel->flush() == Tunnel::Room::free; }));
  EXPECT_EQ(read_all(*tunnel, 4), std::to_string(taken));
}

TEST_F(WebSocket, SaysWhichWorkerHasLeftItAlone) {
  const auto tunnel = open([](wire::Connection& connection) {
    send_text(connection, encoded_head(kSwitch) + piece("last words"));
  });
  ASSERT_NE(tunnel, nullptr);
  scoreboard_->record_death(
      0, {.cause = scoreboard::DeathCause::signalled, .detail = 9, .generation = 1});
  EXPECT_EQ(read_all(*tunnel, 10), "last words");
  wait_for_end(*tunnel);
  const Outcome outcome = tunnel->finish(StreamEnding::worker);
  EXPECT_EQ(outcome.kind, Outcome::Kind::broken);
  EXPECT_EQ(outcome.failure, FailureCause::worker_signalled);
  EXPECT_THAT(exchange_.recorder().text(),
              AllOf(HasSubstr("was killed by signal 9"), HasSubstr("WebSocket was open"),
                    HasSubstr("/apps/chat"), HasSubstr("slot 0")));
}

// Which has no room for saying why.
TEST_F(WebSocket, IsGivenUpByAWorkerWhoseClientTakesNothing) {
  const auto tunnel = open([](wire::Connection& connection) {
    const std::string whole = piece("half of it");
    send_text(connection, encoded_head(kSwitch) + whole.substr(0, whole.size() - 5));
  });
  ASSERT_NE(tunnel, nullptr);
  wait_for_end(*tunnel);
  const Outcome outcome = tunnel->finish(StreamEnding::worker);
  EXPECT_EQ(outcome.failure, FailureCause::reply);
  EXPECT_NE(exchange_.recorder().text_of(Message::client_slow), "");
  EXPECT_EQ(exchange_.recorder().text_of(Message::worker_lost), "");
}

// A process that the application has forked has the connection, too.
TEST_F(WebSocket, EndsWithAWorkerWhoseConnectionStaysOpen) {
  const auto tunnel = open([&](wire::Connection& connection) {
    send_text(connection, encoded_head(kSwitch));
    goes_on_.wait();
  });
  ASSERT_NE(tunnel, nullptr);
  EXPECT_FALSE(tunnel->worker_has_died());
  EXPECT_EQ(tunnel->look(), "");
  EXPECT_FALSE(tunnel->ended());
  scoreboard_->record_death(
      0, {.cause = scoreboard::DeathCause::exited, .detail = 3, .generation = 1});
  EXPECT_TRUE(tunnel->worker_has_died());
  EXPECT_EQ(tunnel->look(), "");
  EXPECT_TRUE(tunnel->ended());
  goes_on_.count_down();
}

TEST_F(WebSocket, LogsWhatTheWorkerLogsWhileItIsOpen) {
  const auto tunnel = open([](wire::Connection& connection) {
    std::string log;
    wire::encode_log({.level = base::LogLevel::info, .text = "somebody said hello"}, log);
    send_text(connection, encoded_head(kSwitch) + log + encoded_end());
  });
  ASSERT_NE(tunnel, nullptr);
  wait_for_end(*tunnel);
  EXPECT_THAT(exchange_.recorder().text(), HasSubstr("somebody said hello"));
}

TEST_F(WebSocket, EndsWithAnErrorOfTheWorkersThatItHasTold) {
  const auto tunnel = open([](wire::Connection& connection) {
    std::string error;
    wire::encode_error({.cause = "it is broken", .failure = FailureCause::exception}, error);
    send_text(connection, encoded_head(kSwitch) + error);
  });
  ASSERT_NE(tunnel, nullptr);
  wait_for_end(*tunnel);
  EXPECT_EQ(tunnel->finish(StreamEnding::worker).failure, FailureCause::exception);
  EXPECT_THAT(exchange_.recorder().text(), HasSubstr("it is broken"));
}

struct Intruder {
  const char* name;
  std::string frame;
};

std::string too_large_a_piece() {
  constexpr std::uint32_t kBytes = wire::kBodyFrameBytesMax + 1;
  const auto header = wire::encode_header({FrameType::reply_body, kBytes});
  return std::string(header.begin(), header.end()) + std::string(kBytes, 'x');
}

std::string retry() {
  std::string out;
  wire::encode_retry({}, out);
  return out;
}

std::string bare(FrameType type) {
  const auto header = wire::encode_header({type, 0});
  return {header.begin(), header.end()};
}

class OpenWebSocket : public WebSocket, public testing::WithParamInterface<Intruder> {};

TEST_P(OpenWebSocket, IsEndedByWhatTheWorkerMayNotSend) {
  const auto tunnel = open([&](wire::Connection& connection) {
    send_text(connection, encoded_head(kSwitch) + GetParam().frame);
    goes_on_.wait();
  });
  ASSERT_NE(tunnel, nullptr);
  wait_for_end(*tunnel);
  EXPECT_EQ(tunnel->finish(StreamEnding::worker).failure, FailureCause::worker_broken);
  EXPECT_THAT(exchange_.recorder().text(), HasSubstr("slot 0"));
  goes_on_.count_down();
}

INSTANTIATE_TEST_SUITE_P(
    All, OpenWebSocket,
    testing::Values(Intruder{"Head", encoded_head(kSwitch)},
                    Intruder{"NeedBody", bare(FrameType::need_body)},
                    Intruder{"WantBody", bare(FrameType::want_body)},
                    Intruder{"File", bare(FrameType::reply_file)}, Intruder{"Retry", retry()},
                    Intruder{"LargePiece", too_large_a_piece()},
                    Intruder{"MalformedEnd", bare(FrameType::end)},
                    Intruder{"MalformedError", bare(FrameType::error)},
                    Intruder{"NoFrame", std::string(wire::kHeaderBytes, '\xff')}),
    [](const auto& info) { return info.param.name; });

class NoWebSocket : public WebSocket, public testing::WithParamInterface<WebSocketOffer> {};

TEST_P(NoWebSocket, IsOpenedWhereNoneIsAskedFor) {
  FakeExchange exchange({.web_socket = GetParam()});
  const std::jthread worker([listening = declare_worker(0)] {
    wire::Connection connection = accept_as({.pid = kOwnPid, .generation = 1}, listening.get());
    take_request(connection);
    send_text(connection, encoded_head(kSwitch));
    wire::Frame frame;
    EXPECT_NE(connection.read_frame(frame, kPatience), wire::Io::timeout);
  });
  const Outcome outcome = run("/apps/chat", exchange);
  EXPECT_EQ(outcome.kind, Outcome::Kind::refused);
  EXPECT_EQ(outcome.status, 502);
  EXPECT_EQ(exchange.take_tunnel(), nullptr);
  EXPECT_EQ(exchange.status(), 0);
}

INSTANTIATE_TEST_SUITE_P(All, NoWebSocket,
                         testing::Values(WebSocketOffer::none, WebSocketOffer::malformed,
                                         WebSocketOffer::other_version));

TEST_F(WebSocket, OfAClientThatHasLeftIsNotOpened) {
  FakeExchange exchange({.web_socket = WebSocketOffer::valid});
  std::jthread worker([&, listening = declare_worker(0)] {
    wire::Connection connection = accept_as({.pid = kOwnPid, .generation = 1}, listening.get());
    take_request(connection);
    exchange.leave();
    send_text(connection, encoded_head(kSwitch));
    take_frame(connection, FrameType::abort);
  });
  EXPECT_EQ(run("/apps/chat", exchange).status, 400);
  EXPECT_EQ(exchange.take_tunnel(), nullptr);
}

}  // namespace
}  // namespace pyhost::test
