#include "apache/websocket/stream_relay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace pyhost::apache {
namespace {

using gateway::StreamEnding;
using namespace std::chrono_literals;

constexpr base::TimePoint kStart{1h};

// What an end has sent and is sent; its room is what the test says.
class FakeEnd : public gateway::Tunnel {
 public:
  std::string to_send;  // comes in pieces of at most piece_max
  std::size_t piece_max = 16'384;
  bool has_ended = false;        // behind to_send
  std::string received;          // flushed
  std::string taken;             // not flushed yet
  std::size_t room = 1 << 30;    // for `taken`
  std::size_t outlet = 1 << 30;  // how many bytes all flush() together let through
  bool is_gone = false;
  bool has_end = false;
  int leaves = 0;
  std::chrono::milliseconds may_be_behind{60s};

  std::string_view look() override { return std::string_view(to_send).substr(0, piece_max); }
  void consume(std::size_t bytes) noexcept override { to_send.erase(0, bytes); }
  bool ended() const noexcept override { return has_ended && to_send.size() <= piece_max; }
  std::size_t send(std::string_view bytes) override {
    EXPECT_FALSE(has_end);
    const std::size_t fits = std::min(bytes.size(), room - std::min(room, taken.size()));
    taken.append(bytes.substr(0, fits));
    return fits;
  }
  void send_end() override { has_end = true; }
  Room flush() override {
    if (is_gone) return Room::gone;
    const std::size_t goes = std::min(outlet, taken.size());
    received.append(taken, 0, goes);
    taken.erase(0, goes);
    outlet -= goes;
    return taken.empty() ? Room::free : Room::none;
  }
  int fd() const noexcept override { return -1; }
  bool worker_has_died() noexcept override { return false; }
  void leave(gateway::Leaving) override { ++leaves; }
  std::chrono::milliseconds patience() const noexcept override { return may_be_behind; }
  std::chrono::milliseconds drain() const noexcept override { return 10s; }
  gateway::Outcome finish(StreamEnding) override { return {}; }
};

class Relay : public testing::Test {
 protected:
  StreamRelay::Wants step(base::Clock::duration after = 0s) { return relay_.step(kStart + after); }

  FakeEnd client_;
  FakeEnd worker_;
  StreamRelay relay_{client_, worker_};
};

TEST_F(Relay, WaitsForBothWhenNothingIsThere) {
  EXPECT_EQ(step(), (StreamRelay::Wants{.client_in = true, .worker_in = true}));
  EXPECT_EQ(relay_.due(), std::nullopt);
  EXPECT_FALSE(relay_.over());
}

TEST_F(Relay, MovesWhatIsThereBothWays) {
  client_.to_send = "ping";
  worker_.to_send = "pong";
  client_.piece_max = worker_.piece_max = 3;
  step();
  EXPECT_EQ(worker_.received, "ping");
  EXPECT_EQ(client_.received, "pong");
  EXPECT_EQ(relay_.bytes_from_client(), 4u);
  EXPECT_EQ(relay_.bytes_to_client(), 4u);
}

TEST_F(Relay, TakesNoMoreThanAStepAtATime) {
  client_.to_send = worker_.to_send = std::string(100'000, 'x');
  EXPECT_TRUE(step().at_once);
  EXPECT_EQ(worker_.received.size(), StreamRelay::kStepBytes);
  EXPECT_EQ(client_.received.size(), StreamRelay::kStepBytes);
  EXPECT_FALSE(step().at_once);
  EXPECT_EQ(worker_.received.size(), 100'000u);
  EXPECT_EQ(client_.received.size(), 100'000u);
}

TEST_F(Relay, LeavesWithTheWorkerWhatASlowClientDoesNotTake) {
  worker_.to_send = std::string(50'000, 'x');
  client_.outlet = 10'000;
  EXPECT_EQ(step(), (StreamRelay::Wants{.client_in = true, .client_out = true}));
  EXPECT_EQ(worker_.to_send.size(), 50'000 - worker_.piece_max);
  EXPECT_EQ(relay_.due(), kStart + 60s);
  client_.outlet = 1'000'000;
  EXPECT_EQ(step(59s), (StreamRelay::Wants{.client_in = true, .worker_in = true}));
  EXPECT_EQ(client_.received.size(), 50'000u);
  EXPECT_EQ(relay_.due(), std::nullopt);
}

TEST_F(Relay, EndsForAClientThatTakesNothingForTooLong) {
  worker_.to_send = "x";
  client_.outlet = 0;
  step();
  step(59s);
  EXPECT_FALSE(relay_.over());
  step(60s);
  EXPECT_EQ(relay_.over(), StreamEnding::client_slow);
  EXPECT_FALSE(relay_.client_has_all());
}

TEST_F(Relay, WaitsForeverForASlowClientWithoutALimit) {
  worker_.may_be_behind = 0ms;
  worker_.to_send = "x";
  client_.outlet = 0;
  step();
  step(1000h);
  EXPECT_FALSE(relay_.over());
  EXPECT_EQ(relay_.due(), std::nullopt);
}

TEST_F(Relay, LeavesWithTheClientWhatABusyWorkerDoesNotTake) {
  client_.to_send = std::string(50'000, 'x');
  worker_.outlet = 0;
  worker_.room = 20'000;
  EXPECT_EQ(step(), (StreamRelay::Wants{.worker_in = true, .worker_out = true}));
  EXPECT_EQ(client_.to_send.size(), 30'000u);
  worker_.to_send = "the other way all the same";
  step(1000h);
  EXPECT_EQ(client_.received, "the other way all the same");
  EXPECT_FALSE(relay_.over());
  worker_.outlet = 1'000'000;
  step(1000h);
  EXPECT_EQ(worker_.received.size(), 50'000u);
}

TEST_F(Relay, IsOverWhenTheClientHasAllThatTheWorkerSent) {
  worker_.to_send = "last";
  worker_.has_ended = true;
  client_.outlet = 2;
  EXPECT_EQ(step(), (StreamRelay::Wants{.client_in = true, .client_out = true}));
  EXPECT_FALSE(relay_.over());
  client_.outlet = 2;
  step();
  EXPECT_EQ(relay_.over(), StreamEnding::worker);
  EXPECT_TRUE(relay_.client_has_all());
  EXPECT_EQ(client_.received, "last");
}

TEST_F(Relay, DropsWhatTheClientSendsToAWorkerThatHasEnded) {
  worker_.to_send = "last";
  worker_.has_ended = true;
  client_.outlet = 0;
  client_.to_send = "too late";
  step();
  EXPECT_EQ(client_.to_send, "");
  EXPECT_EQ(worker_.received, "");
}

TEST_F(Relay, DropsWhatTheClientSendsToAWorkerThatIsGone) {
  worker_.is_gone = true;
  client_.to_send = "too late";
  step();
  EXPECT_EQ(client_.to_send, "");
  EXPECT_FALSE(relay_.over()) << "its last words may still come";
}

TEST_F(Relay, TellsTheWorkerOfTheClientsEndBehindAllElse) {
  client_.to_send = std::string(StreamRelay::kStepBytes + 1, 'x');
  client_.has_ended = true;
  step();
  EXPECT_FALSE(worker_.has_end);
  EXPECT_EQ(step(), (StreamRelay::Wants{.worker_in = true}));
  EXPECT_TRUE(worker_.has_end);
  EXPECT_EQ(worker_.received.size(), StreamRelay::kStepBytes + 1);
  worker_.to_send = "goodbye";
  worker_.has_ended = true;
  step();
  EXPECT_EQ(client_.received, "goodbye");
  EXPECT_EQ(relay_.over(), StreamEnding::worker);
}

TEST_F(Relay, WaitsOnlySoLongForTheWorkersLastWords) {
  client_.has_ended = true;
  step();
  EXPECT_EQ(relay_.due(), kStart + StreamRelay::kLastWords);
  step(9s);
  EXPECT_FALSE(relay_.over());
  step(StreamRelay::kLastWords);
  EXPECT_EQ(relay_.over(), StreamEnding::worker_late);
}

TEST_F(Relay, IsOverWhenTheClientIsGone) {
  client_.is_gone = true;
  worker_.to_send = "x";
  step();
  EXPECT_EQ(relay_.over(), StreamEnding::client_gone);
  EXPECT_FALSE(relay_.client_has_all());
  EXPECT_EQ(step(), StreamRelay::Wants{});
}

TEST_F(Relay, TellsTheWorkerOnceToLeaveAndCutsWhatItDoesNotClose) {
  relay_.leave(gateway::Leaving::restart, kStart);
  relay_.leave(gateway::Leaving::restart, kStart + 5s);
  EXPECT_EQ(worker_.leaves, 1);
  EXPECT_EQ(relay_.due(), kStart + 15s);
  client_.to_send = "goes on";
  step(14s);
  EXPECT_EQ(worker_.received, "goes on");
  EXPECT_FALSE(relay_.over());
  step(15s);
  EXPECT_EQ(relay_.over(), StreamEnding::worker_late);
}

TEST_F(Relay, EndsAsTheFirstReasonHasIt) {
  relay_.cut(StreamEnding::stopped);
  relay_.cut(StreamEnding::client_gone);
  EXPECT_EQ(step(), StreamRelay::Wants{});
  EXPECT_EQ(relay_.over(), StreamEnding::stopped);
}

}  // namespace
}  // namespace pyhost::apache
