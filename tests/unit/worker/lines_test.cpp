#include "worker/lines.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>

namespace pyhost::worker {
namespace {

using namespace std::chrono_literals;

class LinesTest : public testing::Test {
 protected:
  // A line that is idle after a request.
  Line& add_idle(base::UniqueFd& child, Lines::TimePoint since) {
    Line& line = add(child);
    lines_.set_idle(line, since);
    EXPECT_EQ(lines_.take(line.id), &line);
    lines_.set_idle(line, since);
    return line;
  }
  // A line whose other end is kept in `child`.
  Line& add(base::UniqueFd& child) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    child.reset(ends[0]);
    return lines_.add(base::UniqueFd(ends[1]));
  }
  static bool is_closed(const base::UniqueFd& child) {
    char byte = 0;
    return ::recv(child.get(), &byte, 1, MSG_DONTWAIT) == 0;
  }

  const Lines::TimePoint start_{};
  Lines lines_{7};
  base::UniqueFd one_, two_, three_;
};

TEST_F(LinesTest, BelongToWhoeverTakesThemFirst) {
  Line& line = add(one_);
  EXPECT_EQ(line.id, 7u);
  EXPECT_EQ(lines_.take(7), nullptr);
  lines_.set_idle(line, start_);
  EXPECT_EQ(lines_.take(7), &line);
  EXPECT_EQ(lines_.take(7), nullptr);
  lines_.close(7);
  EXPECT_EQ(lines_.take(7), nullptr);
  EXPECT_TRUE(is_closed(one_));
  EXPECT_EQ(add(two_).id, 8u);
}

TEST_F(LinesTest, AreClosedWhenTheyHaveBeenIdleForLong) {
  lines_.set_idle(add(one_), start_);
  lines_.set_idle(add(two_), start_ + 10s);
  add(three_);
  lines_.close_idle_since(start_ + 5s);
  EXPECT_TRUE(is_closed(one_));
  EXPECT_FALSE(is_closed(two_));
  EXPECT_FALSE(is_closed(three_));
}

TEST_F(LinesTest, MakeRoomByTheOneThatHasBeenIdleForTheLongest) {
  add_idle(one_, start_ + 10s);
  add_idle(two_, start_);
  lines_.set_idle(add(three_), start_);
  EXPECT_TRUE(lines_.close_idlest());
  EXPECT_TRUE(is_closed(two_));
  EXPECT_FALSE(is_closed(one_));
  EXPECT_TRUE(lines_.close_idlest());
  EXPECT_TRUE(is_closed(one_));
  EXPECT_FALSE(lines_.close_idlest());
  EXPECT_FALSE(is_closed(three_));
}

// It goes to another worker then.
TEST_F(LinesTest, TellAChildThatItsRequestWasNotRead) {
  add_idle(one_, start_);
  ASSERT_EQ(::send(one_.get(), "request", 7, MSG_NOSIGNAL), 7);
  EXPECT_TRUE(lines_.close_idlest());
  char byte = 0;
  EXPECT_EQ(::recv(one_.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

}  // namespace
}  // namespace pyhost::worker
