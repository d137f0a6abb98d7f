// The connections of an event loop, of which the test is the pool and the httpd child.
#pragma once

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/log_recorder.h"
#include "harness/wait.h"
#include "wire/messages.h"
#include "worker/channel_set.h"

namespace pyhost::worker {

// A pool whose one connection is the test's.
class FakeHost final : public ChannelHost {
 public:
  FakeHost() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    worker_end = &all.add(base::UniqueFd(ends[0]));
    worker_end->connection.trust_requests();
    child.emplace(base::UniqueFd(ends[1]), wire::Descriptors::refused);
  }

  base::LogSink& log() noexcept override { return recorder; }
  bool is_draining() const noexcept override { return draining; }
  bool serves(const gateway::Target& target) const override {
    return target.script != "/apps/foreign";
  }
  void request_came() override { ++running; }
  void request_left() override { --running; }
  std::uint64_t next_number() noexcept override { return ++last_number; }
  void before_reply() override { ++replies; }
  void channel_over() override { ++over; }
  void close(const ChildConnection& closed) override {
    all.close(closed.id);
    worker_end = nullptr;
  }
  void pass_on(ChildConnection&) override { ++passed_on; }
  void reject(ChildConnection& rejected, std::string_view why) override {
    rejected_for = why;
    close(rejected);
  }
  void answer_retry(ChildConnection&, std::string_view why) override { retry_for = why; }

  test::LogRecorder recorder;
  ChildConnections all{10};
  ChildConnection* worker_end = nullptr;  // null when it was closed
  std::optional<wire::Connection> child;
  bool draining = false;
  int running = 0;
  std::uint64_t last_number = 0;
  int replies = 0;
  int over = 0;
  int passed_on = 0;
  std::string rejected_for, retry_for;
};

class ChannelSetTest : public testing::Test {
 protected:
  using ChannelEvent = gateway::ChannelEvent;
  using FrameType = wire::FrameType;
  using Io = wire::Io;
  using Kind = ChannelEvent::Kind;
  using Offered = gateway::Offered;
  using ReplyPart = gateway::ReplyPart;

  static std::string request_frame(const wire::RequestMessage& message) {
    std::string frame;
    EXPECT_TRUE(wire::encode_request(message, frame));
    return frame;
  }

  void send(const std::string& frames) {
    EXPECT_EQ(::send(host_.child->fd(), frames.data(), frames.size(), 0), ssize_t(frames.size()));
  }

  // What the set says when it is asked once.
  std::vector<Kind> pump() {
    std::vector<Kind> kinds;
    for (const ChannelEvent& event : set_->pump()) {
      if (event.channel == nullptr) continue;
      kinds.push_back(event.kind);
      channel_ = event.channel;
    }
    return kinds;
  }

  // A request that a thread of the pool has read.
  gateway::Channel& adopt(const wire::RequestMessage& message = {
                              .target = {.script = "/apps/main",
                                         .protocol = gateway::Protocol::asgi}}) {
    send(request_frame(message));
    wire::Frame frame;
    EXPECT_EQ(host_.worker_end->connection.read_frame(frame, test::kPatience), Io::done);
    host_.request_came();
    set_->adopt(*host_.worker_end, std::string(frame.payload));
    EXPECT_THAT(pump(), testing::ElementsAre(Kind::begun));
    return *channel_;
  }

  static Offered offer(gateway::Channel& channel, std::string_view body, ReplyPart::Then then,
                       bool with_head = true) {
    const gateway::ResponseHead head;
    ReplyPart part{.then = then};
    if (with_head) part.head = &head;
    if (!body.empty()) part.blocks = {&body, 1};
    return channel.offer(part);
  }

  // The types of what the child gets until `last`.
  std::vector<FrameType> frames_until(FrameType last) {
    std::vector<FrameType> types;
    wire::Frame frame;
    while (frame.type != last && host_.child->read_frame(frame, test::kPatience) == Io::done) {
      types.push_back(frame.type);
    }
    return types;
  }

  FakeHost host_;
  std::unique_ptr<ChannelSet> set_ = std::move(*ChannelSet::open(host_));
  gateway::Channel* channel_ = nullptr;
};

}  // namespace pyhost::worker
