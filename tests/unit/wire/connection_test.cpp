#include "wire/connection.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "wire/messages.h"

namespace pyhost::wire {
namespace {

using namespace std::chrono_literals;

constexpr Timeout kPatience = 30s;

struct Pair {
  Connection near;
  Connection far;
};

Pair connected(Descriptors descriptors = Descriptors::accepted) {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  return {Connection(base::UniqueFd(ends[0]), Descriptors::refused),
          Connection(base::UniqueFd(ends[1]), descriptors)};
}

void send_raw(Connection& connection, std::string_view bytes) {
  ASSERT_EQ(::send(connection.fd(), bytes.data(), bytes.size(), 0), ssize_t(bytes.size()));
}

TEST(Connection, DeliversFramesInOrder) {
  Pair pair = connected();
  FrameBatch batch;
  encode_empty(FrameType::need_body, batch.encoded());
  batch.add_body(FrameType::reply_body, "hello");
  encode_retry({.reason = "draining"}, batch.encoded());
  ASSERT_EQ(pair.near.write(batch, kPatience), Io::done);

  Frame frame;
  ASSERT_EQ(pair.far.read_frame(frame, kPatience), Io::done);
  EXPECT_EQ(frame.type, FrameType::need_body);
  ASSERT_EQ(pair.far.next(frame), Connection::Next::frame);
  EXPECT_EQ(frame.payload, "hello");
  ASSERT_EQ(pair.far.next(frame), Connection::Next::frame);
  EXPECT_EQ(decode_retry(frame.payload)->reason, "draining");
  EXPECT_TRUE(pair.far.drained());
}

TEST(Connection, NamesTheSenderThatTheKernelKnows) {
  Pair pair = connected();
  pair.far.name_senders(true);
  Frame frame;
  const pid_t child = ::fork();
  if (child == 0) {
    std::string bytes;
    encode_hello({.pid = 1, .generation = 1}, bytes);
    ::_exit(::send(pair.near.fd(), bytes.data(), bytes.size(), 0) < 0 ? 1 : 0);
  }
  ASSERT_EQ(pair.far.read_frame(frame, kPatience), Io::done);
  ASSERT_TRUE(pair.far.sender());
  EXPECT_EQ(pair.far.sender()->pid, child);
  EXPECT_EQ(pair.far.sender()->uid, ::getuid());
  ::waitpid(child, nullptr, 0);
  pair.far.name_senders(false);
  send_raw(pair.near, std::string_view(encode_header({FrameType::flush, 0}).data(), kHeaderBytes));
  ASSERT_EQ(pair.far.read_frame(frame, kPatience), Io::done);
  EXPECT_FALSE(pair.far.sender());
}

TEST(Connection, WaitsShortlyForWhatComes) {
  Pair pair = connected();
  const timeval shortly{.tv_sec = 0, .tv_usec = 1000};
  ASSERT_EQ(::setsockopt(pair.far.fd(), SOL_SOCKET, SO_RCVTIMEO, &shortly, sizeof shortly), 0);
  EXPECT_EQ(pair.far.fill_shortly(), Io::timeout);
  const std::jthread sender([&pair] { send_raw(pair.near, "x"); });
  while (pair.far.fill_shortly() == Io::timeout) {
  }
  EXPECT_FALSE(pair.far.drained());
}

TEST(Connection, JoinsAFrameThatComesInPieces) {
  Pair pair = connected();
  std::string bytes;
  encode_retry({.reason = "draining"}, bytes);
  Frame frame;
  for (const char byte : bytes) {
    ASSERT_EQ(pair.far.next(frame), Connection::Next::incomplete);
    send_raw(pair.near, {&byte, 1});
    ASSERT_EQ(pair.far.fill(kPatience), Io::done);
  }
  ASSERT_EQ(pair.far.next(frame), Connection::Next::frame);
  EXPECT_EQ(decode_retry(frame.payload)->reason, "draining");
}

TEST(Connection, MovesMoreThanTheSocketHolds) {
  Pair pair = connected();
  std::string large;
  for (std::size_t i = 0; i < (3u << 20); ++i) large.push_back(static_cast<char>(i * 31 / 7));
  std::thread sender([&] {
    FrameBatch batch;
    batch.add_body(FrameType::reply_body, large);
    EXPECT_EQ(pair.near.write(batch, kPatience), Io::done);
  });
  std::string got;
  Frame frame;
  while (got.size() < large.size() && pair.far.read_frame(frame, kPatience) == Io::done) {
    got += frame.payload;
  }
  sender.join();
  EXPECT_TRUE(got == large);
}

TEST(Connection, TakesALargeRequestOnlyFromAPeerThatIsTrusted) {
  Pair pair = connected();
  FrameBatch batch;
  const HeaderBytes header = encode_header({FrameType::request, kPayloadBytesMax + 1});
  batch.encoded().append(header.data(), header.size());
  EXPECT_EQ(pair.near.write(batch, kPatience), Io::done);
  Frame frame;
  EXPECT_EQ(pair.far.read_frame(frame, kPatience), Io::malformed);
  EXPECT_THAT(pair.far.fault(), ::testing::HasSubstr("before a greeting"));
}

TEST(Connection, TakesAFrameOfTheLargestSize) {
  Pair pair = connected();
  pair.far.trust_requests();
  const std::string payload(kRequestBytesMax, 'x');
  std::thread sender([&] {
    FrameBatch batch;
    const HeaderBytes header = encode_header({FrameType::request, kRequestBytesMax});
    batch.encoded().append(header.data(), header.size()).append(payload);
    EXPECT_EQ(pair.near.write(batch, kPatience), Io::done);
  });
  Frame frame;
  ASSERT_EQ(pair.far.read_frame(frame, kPatience), Io::done);
  sender.join();
  EXPECT_TRUE(frame.payload == payload);
}

TEST(Connection, PassesTheDescriptorOfAFile) {
  Pair pair = connected();
  const base::UniqueFd file(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  FrameBatch batch;
  encode_file({.offset = 3, .length = 9}, batch.encoded());
  batch.attach_file(file.get());
  ASSERT_EQ(pair.near.write(batch, kPatience), Io::done);
  Frame frame;
  ASSERT_EQ(pair.far.read_frame(frame, kPatience), Io::done);
  const base::UniqueFd got = pair.far.take_file();
  ASSERT_TRUE(got.valid());
  struct stat sent {
  }, received{};
  ASSERT_EQ(::fstat(file.get(), &sent), 0);
  ASSERT_EQ(::fstat(got.get(), &received), 0);
  EXPECT_EQ(sent.st_rdev, received.st_rdev);
  EXPECT_EQ(::fcntl(got.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_FALSE(pair.far.take_file().valid());
}

TEST(Connection, RefusesADescriptorThatNobodyAskedFor) {
  Pair pair = connected(Descriptors::refused);
  const base::UniqueFd file(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  FrameBatch batch;
  encode_file({}, batch.encoded());
  batch.attach_file(file.get());
  ASSERT_EQ(pair.near.write(batch, kPatience), Io::done);
  Frame frame;
  EXPECT_EQ(pair.far.read_frame(frame, kPatience), Io::malformed);
  EXPECT_EQ(pair.far.fault(), "a descriptor that nobody asked for");
}

TEST(Connection, SaysWhatIsMalformed) {
  Pair pair = connected();
  send_raw(pair.near, "GET / HTTP/1.1\r\n\r\n");
  Frame frame;
  EXPECT_EQ(pair.far.read_frame(frame, kPatience), Io::malformed);
  EXPECT_FALSE(pair.far.fault().empty());
}

TEST(Connection, TellsAnOrderlyEndFromALossOfWhatWasSent) {
  Frame frame;
  Pair orderly = connected();
  { const Connection gone = std::move(orderly.near); }
  EXPECT_EQ(orderly.far.read_frame(frame, kPatience), Io::closed);

  Pair lost = connected();
  send_raw(lost.far, "unread");
  { const Connection gone = std::move(lost.near); }
  EXPECT_EQ(lost.far.read_frame(frame, kPatience), Io::reset);
}

TEST(Connection, ReportsATimeout) {
  Pair pair = connected();
  Frame frame;
  EXPECT_EQ(pair.far.read_frame(frame, 1ms), Io::timeout);
  const std::string large(8u << 20, 'x');
  FrameBatch batch;
  batch.add_body(FrameType::reply_body, large);
  EXPECT_EQ(pair.near.write(batch, 1ms), Io::timeout);
}

TEST(Connection, IsIdleUntilThePeerSendsOrGoes) {
  Pair pair = connected();
  EXPECT_TRUE(pair.far.idle());
  send_raw(pair.near, "x");
  EXPECT_FALSE(pair.far.idle());
  Pair other = connected();
  { const Connection gone = std::move(other.near); }
  EXPECT_FALSE(other.far.idle());
}

TEST(Connection, KnowsWhoIsAtTheOtherEnd) {
  Pair pair = connected();
  const auto peer = os::peer_of(pair.near.fd());
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->uid, ::getuid());
  EXPECT_EQ(peer->pid, ::getpid());
}

}  // namespace
}  // namespace pyhost::wire
