#include "worker/outgoing_frames.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <optional>
#include <string>

#include "harness/wait.h"
#include "wire/messages.h"

namespace pyhost::worker {
namespace {

using test::kPatience;
using wire::FrameType;
using wire::Io;

class OutgoingFramesTest : public testing::Test {
 protected:
  OutgoingFramesTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    near_.emplace(base::UniqueFd(ends[0]), wire::Descriptors::refused);
    far_.emplace(base::UniqueFd(ends[1]), wire::Descriptors::accepted);
  }

  // The bodies that arrive until an END, one after the other.
  std::string received() {
    std::string bytes;
    wire::Frame frame;
    while (frame.type != FrameType::end) {
      while (far_->next(frame) == wire::Connection::Next::incomplete) {
        if (far_->fill_now() == Io::timeout) frames_.send(*near_);
      }
      if (frame.type == FrameType::reply_body) bytes += frame.payload;
    }
    return bytes;
  }

  std::optional<wire::Connection> near_, far_;
  OutgoingFrames frames_;
};

TEST_F(OutgoingFramesTest, KeepNothingOfWhatGoesAtOnce) {
  frames_.batch().add_body(FrameType::reply_body, "hello");
  EXPECT_EQ(frames_.send(*near_), Io::done);
  EXPECT_EQ(frames_.bytes_kept(), 0u);
  wire::Frame frame;
  ASSERT_EQ(far_->read_frame(frame, kPatience), Io::done);
  EXPECT_EQ(frame.payload, "hello");
}

TEST_F(OutgoingFramesTest, KeepTheirOrderAndACopyOfTheRest) {
  std::string all;
  for (char c = 'a'; c <= 'z'; ++c) {
    std::string body(100'000, c);
    all += body;
    frames_.batch().add_body(FrameType::reply_body, body);
    frames_.send(*near_);
    body.assign(body.size(), '!');
  }
  wire::encode_end({}, frames_.batch().encoded());
  EXPECT_EQ(frames_.send(*near_), Io::timeout);
  EXPECT_GT(frames_.bytes_kept(), 0u);
  EXPECT_EQ(received(), all);
  EXPECT_EQ(frames_.bytes_kept(), 0u);
}

TEST_F(OutgoingFramesTest, SayThatTheOtherEndHasGone) {
  far_.reset();
  frames_.batch().add_body(FrameType::reply_body, "nobody");
  const Io outcome = frames_.send(*near_);
  EXPECT_TRUE(outcome == Io::closed || outcome == Io::reset);
}

TEST_F(OutgoingFramesTest, KeepAFileThatCannotLeaveYet) {
  const std::string body(100'000, 'a');
  while (frames_.bytes_kept() == 0) {
    frames_.batch().add_body(FrameType::reply_body, body);
    frames_.send(*near_);
  }
  base::UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  wire::encode_file({.offset = 1, .length = 2}, frames_.batch().encoded());
  frames_.batch().attach_file(file.get());
  EXPECT_EQ(frames_.send(*near_), Io::timeout);
  EXPECT_TRUE(frames_.keeps_file());
  file.reset();
  wire::encode_end({}, frames_.batch().encoded());
  EXPECT_EQ(frames_.send(*near_), Io::timeout);
  received();
  EXPECT_TRUE(far_->take_file().valid());
  EXPECT_FALSE(frames_.keeps_file());
}

}  // namespace
}  // namespace pyhost::worker
