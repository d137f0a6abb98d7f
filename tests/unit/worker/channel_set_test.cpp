#include "worker/channel_set.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "channel_set_fixture.h"
#include "wire/question_messages.h"

namespace pyhost::worker {
namespace {

using gateway::BodyFault;
using gateway::Offered;
using gateway::Outcome;
using gateway::ReplyPart;
using test::kPatience;
using testing::ElementsAre;
using wire::FrameType;
using wire::Io;
using Kind = gateway::ChannelEvent::Kind;

TEST_F(ChannelSetTest, ServesARequestAndReadsTheNextOne) {
  gateway::Channel& first = adopt();
  EXPECT_EQ(first.target().script, "/apps/main");
  EXPECT_EQ(first.target().protocol, gateway::Protocol::asgi);
  EXPECT_EQ(host_.replies, 0);
  EXPECT_EQ(offer(first, "hello", ReplyPart::Then::end), Offered::taken);
  EXPECT_EQ(host_.replies, 1);
  EXPECT_THAT(frames_until(FrameType::end),
              ElementsAre(FrameType::head, FrameType::reply_body, FrameType::end));
  EXPECT_EQ(host_.running, 0);
  first.finish({});

  send(request_frame({.target = {.script = "/apps/main"}}));
  EXPECT_THAT(pump(), ElementsAre(Kind::begun));
  EXPECT_EQ(host_.running, 1);
  offer(*channel_, "", ReplyPart::Then::end);
  channel_->finish({});
  EXPECT_EQ(host_.running, 0);
  EXPECT_NE(host_.worker_end, nullptr);
}

TEST_F(ChannelSetTest, TakesTheNextRequestWhileTheApplicationGoesOn) {
  gateway::Channel& first = adopt();
  offer(first, "done", ReplyPart::Then::end);
  send(request_frame({.target = {.script = "/apps/main"}}));
  EXPECT_THAT(pump(), ElementsAre(Kind::begun));
  EXPECT_NE(channel_, &first);
  first.log(base::LogLevel::info, base::Message::none, "behind the end");
  EXPECT_EQ(host_.recorder.text(), "behind the end\n");
  EXPECT_EQ(set_->in_background(), 1u);
  EXPECT_EQ(host_.over, 0);
  first.finish({});
  EXPECT_EQ(set_->in_background(), 0u);
  EXPECT_EQ(host_.over, 1);
  channel_->finish({});
}

TEST_F(ChannelSetTest, AsksForEachPieceOfTheBody) {
  gateway::Channel& channel = adopt({.target = {.script = "/apps/main"},
                                     .head = {.content_length = std::nullopt},
                                     .body_follows = true});
  EXPECT_EQ(channel.take_body().bytes, "");
  EXPECT_FALSE(channel.take_body().complete);
  channel.want_body();
  channel.want_body();
  EXPECT_THAT(frames_until(FrameType::want_body), ElementsAre(FrameType::want_body));
  std::string piece;
  wire::encode_body(FrameType::body, "some", piece);
  send(piece);
  EXPECT_THAT(pump(), ElementsAre(Kind::body));
  const gateway::BodyPiece taken = channel.take_body();
  EXPECT_EQ(taken.bytes, "some");
  EXPECT_FALSE(taken.complete);
  channel.want_body();
  EXPECT_THAT(frames_until(FrameType::want_body), ElementsAre(FrameType::want_body));
  std::string end;
  wire::encode_body_end(BodyFault::none, end);
  send(end);
  EXPECT_THAT(pump(), ElementsAre(Kind::body));
  EXPECT_TRUE(channel.take_body().complete);
  channel.finish({});
}

TEST_F(ChannelSetTest, KnowsTheLastPieceByTheLength) {
  gateway::Channel& channel = adopt(
      {.target = {.script = "/apps/main"}, .head = {.content_length = 4}, .body_follows = true});
  channel.want_body();
  std::string piece;
  wire::encode_body(FrameType::body, "some", piece);
  send(piece);
  EXPECT_THAT(pump(), ElementsAre(Kind::body));
  const gateway::BodyPiece taken = channel.take_body();
  EXPECT_EQ(taken.bytes, "some");
  EXPECT_TRUE(taken.complete);
  channel.finish({});
}

TEST_F(ChannelSetTest, TellsOfAClientThatLeavesOnce) {
  gateway::Channel& channel = adopt();
  std::string abort;
  wire::encode_empty(FrameType::abort, abort);
  send(abort);
  EXPECT_THAT(pump(), ElementsAre(Kind::gone));
  host_.child.reset();
  EXPECT_THAT(pump(), ElementsAre());
  EXPECT_EQ(offer(channel, "nobody", ReplyPart::Then::pause), Offered::dropped);
  channel.finish({});
  EXPECT_EQ(host_.worker_end, nullptr);
  EXPECT_EQ(host_.running, 0);
}

TEST_F(ChannelSetTest, KeepsWhatASlowChildDoesNotTakeWithinBounds) {
  gateway::Channel& channel = adopt();
  const std::string piece(16 * 1024, 'x');
  std::size_t bytes = piece.size();
  Offered offered = offer(channel, piece, ReplyPart::Then::pause);
  while (offered == Offered::taken) {
    offered = offer(channel, piece, ReplyPart::Then::pause, false);
    bytes += piece.size();
  }
  EXPECT_EQ(offered, Offered::full);
  std::size_t received = 0;
  bool has_room = false;
  wire::Frame frame;
  while (received < bytes && host_.child->read_frame(frame, kPatience) == Io::done) {
    if (frame.type == FrameType::reply_body) received += frame.payload.size();
    for (const Kind kind : pump()) has_room = has_room || kind == Kind::room;
  }
  EXPECT_EQ(received, bytes);
  EXPECT_TRUE(has_room);
  EXPECT_EQ(offer(channel, "", ReplyPart::Then::end, false), Offered::taken);
  channel.finish({});
}

TEST_F(ChannelSetTest, SendsTheRestWhenTheApplicationHasEnded) {
  gateway::Channel& channel = adopt();
  const std::string body(4 << 20, 'x');
  EXPECT_EQ(offer(channel, body, ReplyPart::Then::end), Offered::full);
  channel.finish({});
  EXPECT_EQ(host_.running, 1);
  wire::Frame frame;
  while (frame.type != FrameType::end && host_.child->read_frame(frame, kPatience) == Io::done) {
    EXPECT_THAT(pump(), ElementsAre());
  }
  EXPECT_EQ(frame.type, FrameType::end);
  EXPECT_EQ(host_.running, 0);
  send(request_frame({.target = {.script = "/apps/main"}}));
  EXPECT_THAT(pump(), ElementsAre(Kind::begun));
  channel_->finish({});
}

TEST_F(ChannelSetTest, GoesOnAfterARefusal) {
  gateway::Channel& channel = adopt();
  channel.finish({.kind = Outcome::Kind::refused, .status = 500});
  wire::Frame frame;
  ASSERT_EQ(host_.child->read_frame(frame, kPatience), Io::done);
  EXPECT_EQ(wire::decode_error(frame.payload)->status, 500);
  EXPECT_NE(host_.worker_end, nullptr);
  EXPECT_EQ(host_.running, 0);
}

TEST_F(ChannelSetTest, ClosesBehindABrokenReply) {
  gateway::Channel& channel = adopt();
  offer(channel, "some", ReplyPart::Then::pause);
  channel.finish({.kind = Outcome::Kind::broken});
  EXPECT_THAT(frames_until(FrameType::error), ElementsAre(FrameType::head, FrameType::reply_body,
                                                          FrameType::flush, FrameType::error));
  EXPECT_EQ(host_.worker_end, nullptr);
}

TEST_F(ChannelSetTest, PassesOnARequestThatItsLoopDoesNotKnow) {
  gateway::Channel& channel = adopt({.target = {.script = "/apps/other"}});
  channel.hand_back();
  EXPECT_EQ(host_.passed_on, 1);
  EXPECT_EQ(host_.running, 0);
  wire::Frame frame;
  ASSERT_EQ(host_.worker_end->connection.next(frame), wire::Connection::Next::frame);
  std::vector<gateway::EnvironEntry> environ;
  EXPECT_EQ(wire::decode_request(frame.payload, environ)->target.script, "/apps/other");
}

TEST_F(ChannelSetTest, PassesOnARequestThatIsNotForTheWorker) {
  gateway::Channel& channel = adopt();
  offer(channel, "", ReplyPart::Then::end);
  channel.finish({});
  send(request_frame({.target = {.script = "/apps/foreign"}}));
  EXPECT_THAT(pump(), ElementsAre());
  EXPECT_EQ(host_.passed_on, 1);
  EXPECT_EQ(host_.running, 0);
}

TEST_F(ChannelSetTest, SendsRequestsBackWhenTheWorkerDrains) {
  gateway::Channel& channel = adopt();
  offer(channel, "", ReplyPart::Then::end);
  channel.finish({});
  host_.draining = true;
  send(request_frame({.target = {.script = "/apps/main"}}));
  EXPECT_THAT(pump(), ElementsAre());
  EXPECT_EQ(host_.retry_for, "the worker is draining");
  EXPECT_EQ(host_.running, 0);
}

TEST_F(ChannelSetTest, ClosesBehindAReplyThatDoesNotWaitForTheBody) {
  gateway::Channel& channel = adopt({.target = {.script = "/apps/main"},
                                     .head = {.content_length = std::nullopt},
                                     .body_follows = true});
  channel.want_body();
  offer(channel, "early", ReplyPart::Then::end);
  EXPECT_EQ(host_.worker_end, nullptr);
  EXPECT_EQ(host_.running, 0);
  channel.finish({});
}

TEST_F(ChannelSetTest, SaysWhatRuns) {
  EXPECT_FALSE(set_->last_end());
  std::vector<RunningRequest> running;
  set_->add_running(running);
  EXPECT_TRUE(running.empty());
  gateway::Channel& channel = adopt();
  set_->add_running(running);
  ASSERT_EQ(running.size(), 1u);
  EXPECT_EQ(running[0].exchange, kInEventLoop);
  std::string script;
  EXPECT_TRUE(set_->with(running[0].number, [&](WatchedRequest& watched) {
    script = watched.script_of(running[0].number);
    EXPECT_EQ(&watched.caller(), &channel);
  }));
  EXPECT_EQ(script, "/apps/main");
  channel.finish({.kind = Outcome::Kind::refused, .status = 500});
  EXPECT_TRUE(set_->last_end());
  EXPECT_FALSE(set_->with(running[0].number, [](WatchedRequest&) {}));
}

TEST_F(ChannelSetTest, AnswersInPlaceOfAnApplicationThatIsGivenUp) {
  gateway::Channel& channel = adopt();
  std::vector<RunningRequest> running;
  set_->add_running(running);
  ASSERT_EQ(running.size(), 1u);
  const std::uint64_t number = running[0].number;
  set_->with(number, [number](WatchedRequest& watched) {
    watched.note(number, base::LogLevel::warn, base::Message::request_interrupted, "overdue");
    EXPECT_TRUE(watched.give_up(number, gateway::FailureCause::request_timeout, "too long"));
  });
  EXPECT_EQ(offer(channel, "late", ReplyPart::Then::end), Offered::dropped);
  EXPECT_THAT(frames_until(FrameType::error), ElementsAre(FrameType::log, FrameType::error));
  EXPECT_THAT(pump(), ElementsAre(Kind::gone));
  channel.finish({});
  EXPECT_EQ(host_.worker_end, nullptr);
  EXPECT_EQ(host_.running, 0);
}

TEST_F(ChannelSetTest, RejectsFramesThatNobodyAskedFor) {
  gateway::Channel& channel = adopt();
  std::string piece;
  wire::encode_body(FrameType::body, "unasked", piece);
  send(piece);
  EXPECT_THAT(pump(), ElementsAre(Kind::gone));
  channel.finish({});
  EXPECT_EQ(host_.worker_end, nullptr);
}

}  // namespace
}  // namespace pyhost::worker
