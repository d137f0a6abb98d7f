#include "remote/reply_buffer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/temp_dir.h"

namespace pyhost::remote {
namespace {

constexpr std::uint64_t kLimit = 64 * 1024;

class ReplyBufferTest : public ::testing::Test {
 protected:
  // Bytes of which no two neighbourhoods look alike.
  static std::string stretch(std::size_t begin, std::size_t bytes) {
    std::string text(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i)
      text[i] = static_cast<char>((begin + i) * 2654435761 >> 13);
    return text;
  }

  // The next so many bytes, in or out.
  void append(std::size_t bytes) {
    const auto appended = buffer_.append(stretch(in_, bytes));
    ASSERT_TRUE(appended) << appended.error().sentence;
    in_ += bytes;
  }
  void expect_next(std::size_t max) {
    const auto front = buffer_.front(max);
    ASSERT_TRUE(front) << front.error().sentence;
    ASSERT_FALSE(front->empty());
    ASSERT_LE(front->size(), max);
    ASSERT_TRUE(*front == stretch(out_, front->size())) << "at " << out_;
    out_ += front->size();
    buffer_.pop(front->size());
  }

  const test::TempDir folder_;
  const std::string path_ = folder_.path();
  ReplyBuffer buffer_{kLimit, path_};
  std::size_t in_ = 0;
  std::size_t out_ = 0;
};

TEST_F(ReplyBufferTest, IsFullAtItsLimit) {
  EXPECT_TRUE(buffer_.empty());
  append(kLimit - 1);
  EXPECT_FALSE(buffer_.full());
  append(1);
  EXPECT_TRUE(buffer_.full());
  EXPECT_EQ(buffer_.bytes(), kLimit);
}

TEST_F(ReplyBufferTest, TakesWhatHadArrivedBeforeItWasFull) {
  append(kLimit - 1);
  append(wire::kPayloadBytesMax);
  while (!buffer_.empty()) expect_next(10'000);
  EXPECT_EQ(out_, in_);
}

TEST_F(ReplyBufferTest, GivesBytesInTheirOrderForAsLongAsTheReplyLasts) {
  constexpr std::size_t kReplyBytes = 20'000'000;
  append(ReplyBuffer::kMemoryBytesMax + 1);
  for (std::size_t step = 0; in_ < kReplyBytes; ++step) {
    while (buffer_.full()) expect_next(7'000 + step % 50'000);
    append(1 + step * 7919 % 65'536);
  }
  while (!buffer_.empty()) expect_next(48'000);
  EXPECT_EQ(out_, in_);
}

TEST_F(ReplyBufferTest, ContentIsEverythingInItsOrder) {
  // So far into the file that its content goes round the end of the ring.
  append(ReplyBuffer::kMemoryBytesMax);
  while (in_ < 2'500'000) {
    append(50'000);
    expect_next(50'000);
  }
  const ReplyBuffer::Content content = buffer_.content();
  std::string all(content.memory);
  for (const gateway::FileRange& range : content.ranges) {
    std::string bytes(range.length, '\0');
    ASSERT_EQ(::pread(range.fd, bytes.data(), bytes.size(), static_cast<off_t>(range.offset)),
              static_cast<ssize_t>(bytes.size()));
    all += bytes;
  }
  EXPECT_EQ(all.size(), buffer_.bytes());
  EXPECT_TRUE(all == stretch(out_, all.size()));
  buffer_.clear();
  EXPECT_TRUE(buffer_.empty());
}

TEST_F(ReplyBufferTest, NamesTheFolderThatCannotBeUsed) {
  const std::string nowhere = "/nonexistent";
  ReplyBuffer buffer(kLimit, nowhere);
  const auto appended = buffer.append(stretch(0, ReplyBuffer::kMemoryBytesMax + 1));
  ASSERT_FALSE(appended);
  EXPECT_NE(appended.error().sentence.find(nowhere), std::string::npos);
  EXPECT_TRUE(buffer.empty());
}

}  // namespace
}  // namespace pyhost::remote
