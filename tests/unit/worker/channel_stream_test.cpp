// Channels that have become streams: WebSockets.

#include "channel_set_fixture.h"

namespace pyhost::worker {
namespace {

using gateway::BodyFault;
using gateway::Offered;
using gateway::Outcome;
using gateway::ReplyPart;
using testing::ElementsAre;
using wire::FrameType;
using Kind = gateway::ChannelEvent::Kind;

// A request that has become one.
class ChannelSetStream : public ChannelSetTest {
 protected:
  void SetUp() override {
    stream_ = &adopt({.target = {.script = "/apps/main"},
                      .head = {.web_socket = gateway::WebSocketOffer::valid}});
    const gateway::ResponseHead head{.status = 101};
    EXPECT_EQ(stream_->offer({.head = &head, .then = ReplyPart::Then::pause}), Offered::taken);
    EXPECT_THAT(frames_until(FrameType::head), ElementsAre(FrameType::head));
  }

  static std::string body_frame(std::string_view bytes) {
    std::string frame;
    wire::encode_body(FrameType::body, bytes, frame);
    return frame;
  }

  gateway::Channel* stream_ = nullptr;
};

TEST_F(ChannelSetStream, CarriesBytesBothWaysUnasked) {
  send(body_frame("one") + body_frame("two"));
  EXPECT_THAT(pump(), ElementsAre(Kind::body, Kind::body));
  EXPECT_EQ(stream_->take_body().bytes, "onetwo");
  EXPECT_FALSE(stream_->take_body().complete);
  // What pauses needs no word for it.
  EXPECT_EQ(offer(*stream_, "three", ReplyPart::Then::pause, false), Offered::taken);
  EXPECT_EQ(offer(*stream_, "four", ReplyPart::Then::end, false), Offered::taken);
  EXPECT_THAT(
      frames_until(FrameType::end),
      ElementsAre(FrameType::reply_body, FrameType::reply_body, FrameType::counts, FrameType::end));
  EXPECT_EQ(host_.worker_end, nullptr);
  EXPECT_EQ(host_.running, 0);
  stream_->finish({});
  EXPECT_EQ(host_.over, 1);
}

TEST_F(ChannelSetStream, IsCompleteWhenTheClientHasClosedItsSide) {
  std::string end;
  wire::encode_body_end(BodyFault::none, end);
  send(body_frame("last") + end);
  EXPECT_THAT(pump(), ElementsAre(Kind::body, Kind::body));
  const gateway::BodyPiece piece = stream_->take_body();
  EXPECT_EQ(piece.bytes, "last");
  EXPECT_TRUE(piece.complete);
  send(body_frame("behind the end"));
  EXPECT_THAT(pump(), ElementsAre(Kind::gone));
  stream_->finish({});
}

TEST_F(ChannelSetStream, IsReadNoFurtherThanItIsTaken) {
  const std::string piece = body_frame(std::string(32 * 1024, 'x'));
  std::size_t sent = 0;
  const auto send_some = [&] {
    std::size_t now = 0;
    std::string_view rest = piece;
    while (!rest.empty()) {
      const ssize_t done = ::send(host_.child->fd(), rest.data(), rest.size(), MSG_DONTWAIT);
      if (done < 0) break;
      rest.remove_prefix(std::size_t(done));
      now += std::size_t(done);
    }
    sent += now;
    return rest.empty();
  };
  // Until nothing is read any more, and the connection is full.
  while (send_some()) pump();
  for (int i = 0; i < 100; ++i) pump();
  EXPECT_THAT(pump(), ElementsAre());
  const std::size_t taken = stream_->take_body().bytes.size();
  EXPECT_GT(taken, gateway::kChannelBytesHigh);
  EXPECT_LT(taken, 4 * gateway::kChannelBytesHigh);
  // It is read on.
  EXPECT_THAT(pump(), testing::Contains(Kind::body));
  host_.child.reset();
  while (pump().empty()) {
  }
  stream_->finish({});
}

TEST_F(ChannelSetStream, TellsThatItIsToLeave) {
  std::string leave;
  wire::encode_leave(gateway::Leaving::stop, leave);
  send(leave);
  const auto events = set_->pump();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, Kind::leave);
  EXPECT_EQ(events[0].leaving, gateway::Leaving::stop);
  stream_->finish({.kind = Outcome::Kind::broken});
}

TEST_F(ChannelSetStream, KeepsNothingForAClientWhenItEndsAtOnce) {
  const std::string piece(16 * 1024, 'x');
  while (offer(*stream_, piece, ReplyPart::Then::pause, false) == Offered::taken) {
  }
  stream_->end_at_once();
  EXPECT_EQ(host_.worker_end, nullptr);
  EXPECT_EQ(host_.running, 0);
  stream_->finish({});
  EXPECT_EQ(host_.over, 1);
}

TEST_F(ChannelSetStream, EndsInGoodOrderAtOnceWhereNothingIsKept) {
  offer(*stream_, "last", ReplyPart::Then::pause, false);
  stream_->end_at_once();
  EXPECT_THAT(frames_until(FrameType::end),
              ElementsAre(FrameType::reply_body, FrameType::counts, FrameType::end));
  stream_->finish({});
}

TEST_F(ChannelSetStream, CountsButDoesNotRun) {
  std::vector<RunningRequest> running;
  set_->add_running(running);
  EXPECT_TRUE(running.empty());
  EXPECT_EQ(set_->in_background(), 0u);
  EXPECT_EQ(set_->streams(), 1u);
  EXPECT_EQ(host_.running, 1);
  const auto opened = set_->last_end();
  ASSERT_TRUE(opened);
  send(body_frame("what is no message"));
  pump();
  EXPECT_EQ(set_->last_end(), opened);
  stream_->note_message(gateway::Channel::Way::received);
  EXPECT_GT(set_->last_end(), opened);
  offer(*stream_, "", ReplyPart::Then::end, false);
  EXPECT_EQ(set_->streams(), 0u);
  EXPECT_EQ(set_->in_background(), 1u);
  stream_->finish({});
}

}  // namespace
}  // namespace pyhost::worker
