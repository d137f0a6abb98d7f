#include "pyhost/base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/scope_exit.h"

namespace pyhost::base {
namespace {

bool is_open(int fd) {
  return fcntl(fd, F_GETFD) != -1;
}

int open_null() {
  return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

TEST(UniqueFd, ClosesAtTheEnd) {
  int fd = -1;
  {
    const UniqueFd owner(open_null());
    ASSERT_TRUE(owner.valid());
    fd = owner.get();
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFd, ClosesWhatItHeldWhenItIsAssigned) {
  UniqueFd first(open_null());
  UniqueFd second(open_null());
  const int old = first.get();
  const int kept = second.get();
  first = std::move(second);
  EXPECT_FALSE(is_open(old));
  EXPECT_FALSE(second.valid());
  EXPECT_EQ(first.get(), kept);
  EXPECT_TRUE(is_open(kept));
}

TEST(UniqueFd, GivesItsDescriptorUpOnRelease) {
  UniqueFd owner(open_null());
  const int fd = owner.release();
  EXPECT_FALSE(owner.valid());
  EXPECT_TRUE(is_open(fd));
  close(fd);
}

TEST(ScopeExit, RunsAtTheEndOfItsScope) {
  int runs = 0;
  {
    const ScopeExit count([&] { ++runs; });
    EXPECT_EQ(runs, 0);
  }
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace pyhost::base
