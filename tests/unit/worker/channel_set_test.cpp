#include "worker/channel_set.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <vector>

#include "harness/log_recorder.h"
#include "harness/wait.h"
#include "wire/question_messages.h"

namespace pyhost::worker {
namespace {

using gateway::BodyFault;
using gateway::ChannelEvent;
using gateway::Offered;
using gateway::Outcome;
using gateway::ReplyPart;
using test::kPatience;
using testing::ElementsAre;
using wire::FrameType;
using wire::Io;
using Kind = ChannelEvent::Kind;

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
    EXPECT_EQ(host_.worker_end->connection.read_frame(frame, kPatience), Io::done);
    host_.request_came();
    set_->adopt(*host_.worker_end, std::string(frame.payload));
    EXPECT_THAT(pump(), ElementsAre(Kind::begun));
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
    while (frame.type != last && host_.child->read_frame(frame, kPatience) == Io::done) {
      types.push_back(frame.type);
    }
    return types;
  }

  FakeHost host_;
  std::unique_ptr<ChannelSet> set_ = std::move(*ChannelSet::open(host_));
  gateway::Channel* channel_ = nullptr;
};

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

// --- Streams -----------------------------------------------------------------------------------

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
  EXPECT_THAT(frames_until(FrameType::end),
              ElementsAre(FrameType::reply_body, FrameType::reply_body, FrameType::end));
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
  EXPECT_THAT(frames_until(FrameType::end), ElementsAre(FrameType::reply_body, FrameType::end));
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
  stream_->note_activity();
  EXPECT_GT(set_->last_end(), opened);
  offer(*stream_, "", ReplyPart::Then::end, false);
  EXPECT_EQ(set_->streams(), 0u);
  EXPECT_EQ(set_->in_background(), 1u);
  stream_->finish({});
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
