#include "os/descriptor_passing.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

namespace pyhost::os {
namespace {

struct Pair {
  explicit Pair(int type) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
    near.reset(ends[0]);
    far.reset(ends[1]);
  }

  ssize_t send(std::string_view text, std::span<const int> descriptors) const {
    iovec piece{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
    return send_message(near.get(), {&piece, 1}, descriptors, MSG_DONTWAIT);
  }

  Received receive(std::size_t descriptors_max) {
    iovec piece{.iov_base = buffer.data(), .iov_len = buffer.size()};
    return receive_message(far.get(), {&piece, 1}, descriptors_max, MSG_DONTWAIT);
  }

  base::UniqueFd near;
  base::UniqueFd far;
  std::array<char, 8> buffer{};
};

base::UniqueFd open_null() {
  return base::UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC));
}

TEST(DescriptorPassing, CarriesDescriptorsInTheirOrder) {
  Pair pair(SOCK_SEQPACKET);
  const base::UniqueFd null = open_null();
  const int sent[] = {null.get(), pair.near.get()};
  ASSERT_EQ(pair.send("two", sent), 3);
  const Received received = pair.receive(kDescriptorsPerMessage);
  EXPECT_EQ(received.bytes, 3);
  EXPECT_EQ(std::string_view(pair.buffer.data(), 3), "two");
  ASSERT_EQ(received.descriptors.size(), 2u);
  EXPECT_TRUE(base::is_same_file(received.descriptors[0].get(), null.get()));
  EXPECT_TRUE(base::is_same_file(received.descriptors[1].get(), pair.near.get()));
  EXPECT_EQ(::fcntl(received.descriptors[0].get(), F_GETFD), FD_CLOEXEC);
  EXPECT_FALSE(received.descriptors_lost);
  EXPECT_FALSE(received.cut_off);
}

TEST(DescriptorPassing, CarriesAsManyAsTheKernelDoes) {
  Pair pair(SOCK_SEQPACKET);
  const base::UniqueFd null = open_null();
  const std::vector<int> sent(kDescriptorsPerMessage, null.get());
  ASSERT_EQ(pair.send("many", sent), 4);
  const Received received = pair.receive(kDescriptorsPerMessage);
  EXPECT_EQ(received.descriptors.size(), kDescriptorsPerMessage);
  EXPECT_FALSE(received.descriptors_lost);
}

TEST(DescriptorPassing, TakesNoMoreDescriptorsThanAreAllowed) {
  for (const std::size_t allowed : {0u, 1u, 2u}) {
    for (const bool named : {false, true}) {
      Pair pair(SOCK_STREAM);
      ASSERT_TRUE(name_senders(pair.far.get(), named));
      const base::UniqueFd null = open_null();
      const int sent[] = {null.get(), null.get(), null.get()};
      ASSERT_EQ(pair.send("x", sent), 1);
      const Received received = pair.receive(allowed);
      EXPECT_EQ(received.descriptors.size(), allowed);
      EXPECT_TRUE(received.descriptors_lost);
    }
  }
}

TEST(DescriptorPassing, NamesTheSenderWhileThatIsWanted) {
  Pair pair(SOCK_STREAM);
  ASSERT_TRUE(name_senders(pair.far.get(), true));
  const base::UniqueFd null = open_null();
  const int sent[] = {null.get()};
  ASSERT_EQ(pair.send("x", sent), 1);
  const Received named = pair.receive(1);
  EXPECT_EQ(named.sender, (Peer{::getpid(), ::getuid()}));
  EXPECT_EQ(named.descriptors.size(), 1u);
  EXPECT_FALSE(named.descriptors_lost);
  ASSERT_TRUE(name_senders(pair.far.get(), false));
  ASSERT_EQ(pair.send("x", {}), 1);
  EXPECT_EQ(pair.receive(1).sender, std::nullopt);
}

TEST(DescriptorPassing, SaysThatAMessageWasLongerThanThereWasRoom) {
  Pair pair(SOCK_SEQPACKET);
  ASSERT_EQ(pair.send("more than eight", {}), 15);
  EXPECT_TRUE(pair.receive(0).cut_off);
}

TEST(DescriptorPassing, TellsAnEndFromNothingYet) {
  Pair pair(SOCK_STREAM);
  EXPECT_EQ(pair.receive(0).bytes, -1);
  EXPECT_EQ(errno, EAGAIN);
  pair.near.reset();
  EXPECT_EQ(pair.receive(0).bytes, 0);
}

}  // namespace
}  // namespace pyhost::os
