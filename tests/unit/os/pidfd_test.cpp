#include "os/pidfd.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace pyhost::os {
namespace {

bool has_ended(const base::UniqueFd& process, int patience_ms) {
  pollfd ended{.fd = process.get(), .events = POLLIN, .revents = 0};
  return ::poll(&ended, 1, patience_ms) == 1;
}

TEST(Pidfd, IsReadableWhenTheProcessHasEnded) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  const base::UniqueFd process = open_pidfd(child);
  ASSERT_TRUE(process.valid());
  EXPECT_FALSE(has_ended(process, 0));
  ::kill(child, SIGKILL);
  EXPECT_TRUE(has_ended(process, -1));
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(open_pidfd(child).valid());
  EXPECT_EQ(errno, ESRCH);
}

}  // namespace
}  // namespace pyhost::os
