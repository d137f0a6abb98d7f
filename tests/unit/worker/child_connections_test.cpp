#include "worker/child_connections.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>

namespace pyhost::worker {
namespace {

using namespace std::chrono_literals;

class ChildConnectionsTest : public testing::Test {
 protected:
  // A connection that is idle after a request.
  ChildConnection& add_idle(base::UniqueFd& child, base::TimePoint since) {
    ChildConnection& connection = add(child);
    connections_.set_idle(connection, since);
    EXPECT_EQ(connections_.take(connection.id), &connection);
    connections_.set_idle(connection, since);
    return connection;
  }
  // A connection whose other end is kept in `child`.
  ChildConnection& add(base::UniqueFd& child) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    child.reset(ends[0]);
    return connections_.add(base::UniqueFd(ends[1]));
  }
  static bool is_closed(const base::UniqueFd& child) {
    char byte = 0;
    return ::recv(child.get(), &byte, 1, MSG_DONTWAIT) == 0;
  }

  const base::TimePoint start_{};
  ChildConnections connections_{7};
  base::UniqueFd one_, two_, three_;
};

TEST_F(ChildConnectionsTest, BelongToWhoeverTakesThemFirst) {
  ChildConnection& connection = add(one_);
  EXPECT_EQ(connection.id, 7u);
  EXPECT_EQ(connections_.take(7), nullptr);
  connections_.set_idle(connection, start_);
  EXPECT_EQ(connections_.take(7), &connection);
  EXPECT_EQ(connections_.take(7), nullptr);
  connections_.close(7);
  EXPECT_EQ(connections_.take(7), nullptr);
  EXPECT_TRUE(is_closed(one_));
  EXPECT_EQ(add(two_).id, 8u);
}

TEST_F(ChildConnectionsTest, AreClosedWhenTheyHaveBeenIdleForLong) {
  connections_.set_idle(add(one_), start_);
  connections_.set_idle(add(two_), start_ + 10s);
  add(three_);
  connections_.close_idle_since(start_ + 5s);
  EXPECT_TRUE(is_closed(one_));
  EXPECT_FALSE(is_closed(two_));
  EXPECT_FALSE(is_closed(three_));
}

TEST_F(ChildConnectionsTest, MakeRoomByTheOneThatHasBeenIdleForTheLongest) {
  add_idle(one_, start_ + 10s);
  add_idle(two_, start_);
  connections_.set_idle(add(three_), start_);
  EXPECT_TRUE(connections_.close_idlest());
  EXPECT_TRUE(is_closed(two_));
  EXPECT_FALSE(is_closed(one_));
  EXPECT_TRUE(connections_.close_idlest());
  EXPECT_TRUE(is_closed(one_));
  EXPECT_FALSE(connections_.close_idlest());
  EXPECT_FALSE(is_closed(three_));
}

// It goes to another worker then.
TEST_F(ChildConnectionsTest, TellAChildThatItsRequestWasNotRead) {
  add_idle(one_, start_);
  ASSERT_EQ(::send(one_.get(), "request", 7, MSG_NOSIGNAL), 7);
  EXPECT_TRUE(connections_.close_idlest());
  char byte = 0;
  EXPECT_EQ(::recv(one_.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

}  // namespace
}  // namespace pyhost::worker
