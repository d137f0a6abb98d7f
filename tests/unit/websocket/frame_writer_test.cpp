#include "websocket/frame_writer.h"

#include <gtest/gtest.h>

#include <vector>

namespace pyhost::websocket {
namespace {

using Is = FrameStart::Is;

std::string start(Opcode opcode, bool is_final, Is is, std::uint64_t length) {
  return std::string(FrameStart(opcode, is_final, is, length).bytes());
}

TEST(FrameStart, SaysTheLengthShortest) {
  EXPECT_EQ(start(Opcode::text, true, Is::plain, 0), std::string("\x81\x00", 2));
  EXPECT_EQ(start(Opcode::binary, true, Is::plain, 125), "\x82\x7d");
  EXPECT_EQ(start(Opcode::binary, true, Is::plain, 126), std::string("\x82\x7e\x00\x7e", 4));
  EXPECT_EQ(start(Opcode::binary, true, Is::plain, 65535), "\x82\x7e\xff\xff");
  EXPECT_EQ(start(Opcode::binary, true, Is::plain, 65536),
            std::string("\x82\x7f\0\0\0\0\0\x01\0\0", 10));
}

TEST(FrameStart, SaysWhetherItIsTheLastOneAndCompressed) {
  EXPECT_EQ(start(Opcode::text, false, Is::plain, 1), std::string("\x01\x01"));
  EXPECT_EQ(start(Opcode::text, true, Is::compressed, 1), std::string("\xc1\x01"));
}

std::vector<std::string> frames_of(Opcode opcode, Is is, std::string_view payload) {
  std::vector<std::string> starts;
  std::string joined;
  MessageFrames frames(opcode, is, payload);
  while (!frames.done()) {
    const MessageFrames::Frame frame = frames.next();
    starts.emplace_back(frame.start.bytes());
    joined += frame.payload;
  }
  EXPECT_EQ(joined, payload);
  return starts;
}

TEST(MessageFrames, HasOneForWhatIsSmall) {
  EXPECT_EQ(frames_of(Opcode::text, Is::plain, ""), (std::vector{std::string("\x81\x00", 2)}));
  EXPECT_EQ(frames_of(Opcode::binary, Is::compressed, "abc"),
            (std::vector{std::string("\xc2\x03")}));
  EXPECT_EQ(frames_of(Opcode::binary, Is::plain, std::string(kFragmentBytesMax, 'x')).size(), 1u);
}

TEST(MessageFrames, HasFragmentsOfWhatIsLarge) {
  const auto starts =
      frames_of(Opcode::text, Is::compressed, std::string(2 * kFragmentBytesMax + 1, 'x'));
  EXPECT_EQ(starts, (std::vector{start(Opcode::text, false, Is::compressed, kFragmentBytesMax),
                                 start(Opcode::continuation, false, Is::plain, kFragmentBytesMax),
                                 start(Opcode::continuation, true, Is::plain, 1)}));
}

TEST(CloseFrame, HasCodeAndReason) {
  EXPECT_EQ(close_frame(1000, ""), "\x88\x02\x03\xe8");
  EXPECT_EQ(close_frame(4321, "why"), "\x88\x05\x10\xe1why");
  EXPECT_EQ(close_frame(kCloseNoCode, "unsaid"), std::string("\x88\x00", 2));
}

TEST(CloseFrame, CutsTheReasonBetweenCharacters) {
  EXPECT_EQ(close_frame(1000, std::string(200, 'x')).size(), 2 + kControlBytesMax);
  const std::string euros = "\xe2\x82\xac";
  std::string reason;
  for (int i = 0; i < 60; ++i) reason += euros;
  EXPECT_EQ(close_frame(1000, reason).substr(4), reason.substr(0, 123));
  EXPECT_EQ(close_frame(1000, "a" + reason).substr(4), ("a" + reason).substr(0, 121));
  EXPECT_EQ(close_frame(1000, "ab" + reason).substr(4), ("ab" + reason).substr(0, 122));
}

TEST(ControlFrame, HasItsPayload) {
  EXPECT_EQ(control_frame(Opcode::pong, "abc"),
            "\x8a\x03"
            "abc");
}

}  // namespace
}  // namespace pyhost::websocket
