// Channels without a connection: engine tests say what happens to them, and look at the reply.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "harness/fake_exchange.h"
#include "pyhost/base/unique_fd.h"
#include "pyhost/gateway/channel.h"
#include "pyhost/gateway/socket_counts.h"

namespace pyhost::test {

// What a loop serves in a test. Thread-safe.
class FakeChannels final : public gateway::ChannelSource {
 public:
  FakeChannels();

  void post(gateway::ChannelEvent event);
  // No event of it is acted on any more.
  void forget(const gateway::Channel& channel);
  bool abandoned() const;

  int fd() const noexcept override { return wake_.get(); }
  std::span<const gateway::ChannelEvent> pump() noexcept override;
  void abandon() noexcept override;

 private:
  const base::UniqueFd wake_;
  mutable std::mutex mutex_;
  std::vector<gateway::ChannelEvent> coming_;  // guarded by mutex_, as the next
  bool abandoned_ = false;
  std::vector<gateway::ChannelEvent> pumped_;  // of the loop's thread
};

// One request of a script. Keeps the promises of gateway::Channel, and fails the running test when
// the engine breaks its own. The request's body is there with it, unless the test sends it later.
class FakeChannel final : public gateway::Channel {
 public:
  enum class Body { arrived, comes_later };
  struct Client {
    FakeRequest request = {};
    Body body = Body::arrived;
    bool takes = true;  // what it is sent
  };
  // The target's texts and the source outlive it. Begins at once.
  FakeChannel(FakeChannels& source, const gateway::Target& target)
      : FakeChannel(source, target, Client()) {}
  FakeChannel(FakeChannels& source, const gateway::Target& target, Client client);
  FakeChannel(const FakeChannel&) = delete;
  FakeChannel& operator=(const FakeChannel&) = delete;
  // Waits for its end.
  ~FakeChannel() override;

  // --- What the test does ---
  void send_body(std::string bytes, gateway::BodyPiece end = {});
  void leave();
  // The client takes what there is.
  void take_some();
  // The same, and all that comes.
  void take_all();
  // httpd's child is to end.
  void tell_to_leave(gateway::Leaving why);

  // --- What has come of it; these wait, and fail the test when that takes too long ---
  const gateway::Outcome& outcome();
  bool handed_back();
  void wait_for_parts(std::size_t count);
  void wait_for_want_body();
  // What the client of a WebSocket has got behind so many bytes, when there is more, or the end.
  std::string wait_for_stream(std::size_t offset);

  // Looked at when it is over.
  FakeExchange& exchange() noexcept { return exchange_; }
  std::size_t parts() const;
  int bodies_wanted() const;
  // Whether the client's connection has ended, and whether what was on its way was dropped.
  bool stream_ended() const;
  bool ended_at_once() const;
  gateway::SocketCounts counts() const;

  // --- The engine's side ---
  const gateway::Target& target() const noexcept override { return target_; }
  const gateway::RequestHead& head() const noexcept override { return exchange_.head(); }
  gateway::BodyPiece take_body() noexcept override;
  void want_body() noexcept override;
  gateway::Offered offer(const gateway::ReplyPart& part) noexcept override;
  void end_at_once() noexcept override;
  void note_message(Way way) noexcept override;
  void note_close(std::uint16_t code) noexcept override;
  void offer_early_hints(std::span<const gateway::Header> headers) noexcept override;
  void finish(const gateway::Outcome& outcome) noexcept override;
  void hand_back() noexcept override;
  bool wants(base::LogLevel level) const noexcept override { return exchange_.wants(level); }
  void log(base::LogLevel level, base::Message message, std::string_view text) noexcept override {
    exchange_.log(level, message, text);
  }

 private:
  template <class Condition>
  void wait_for(Condition holds, const char* what);
  bool is_over() const noexcept { return outcome_.has_value() || handed_back_; }

  FakeChannels& source_;
  const gateway::Target target_;
  FakeExchange exchange_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::string arrived_;
  bool body_complete_;
  gateway::BodyFault fault_ = gateway::BodyFault::none;
  int bodies_wanted_ = 0;
  bool takes_;
  bool left_ = false;
  std::size_t parts_ = 0;
  bool is_stream_ = false;
  std::string streamed_;
  bool stream_ended_ = false;
  bool ended_at_once_ = false;
  gateway::SocketCounts counts_;
  std::optional<gateway::Outcome> outcome_;
  bool handed_back_ = false;
  std::string taken_;  // of the loop's thread
};

}  // namespace pyhost::test
