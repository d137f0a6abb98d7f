#include "pyhost/gateway/sendable_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

#include "pyhost/base/unique_fd.h"

namespace pyhost::gateway {
namespace {

using base::UniqueFd;

constexpr std::uint64_t kBytes = 100;

UniqueFd make_file() {
  UniqueFd file(::memfd_create("file", MFD_CLOEXEC));
  EXPECT_EQ(::ftruncate(file.get(), kBytes), 0);
  return file;
}

bool is_sendable(const UniqueFd& file, std::uint64_t offset = 0, std::uint64_t length = 0) {
  return gateway::check_sendable({file.get(), offset, length}).has_value();
}

TEST(SendableFile, HasItsRange) {
  const UniqueFd file = make_file();
  EXPECT_TRUE(is_sendable(file, 0, kBytes));
  EXPECT_TRUE(is_sendable(file, kBytes, 0));
  EXPECT_FALSE(is_sendable(file, 0, kBytes + 1));
  EXPECT_FALSE(is_sendable(file, kBytes + 1, 0));
  EXPECT_FALSE(is_sendable(file, 1, UINT64_MAX));
  EXPECT_FALSE(is_sendable(file, UINT64_MAX, 2));
}

TEST(SendableFile, WasOpenedForReading) {
  const UniqueFd file = make_file();
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  EXPECT_TRUE(is_sendable(UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), 0, kBytes));
  EXPECT_FALSE(is_sendable(UniqueFd(::open(path.c_str(), O_WRONLY | O_CLOEXEC)), 0, kBytes));
  EXPECT_FALSE(is_sendable(UniqueFd(::open(path.c_str(), O_PATH | O_CLOEXEC)), 0, kBytes));
}

TEST(SendableFile, IsRegular) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]), writing(ends[1]);
  EXPECT_EQ(gateway::check_sendable({reading.get()}).error().sentence, "a pipe");
  EXPECT_FALSE(is_sendable(UniqueFd(::eventfd(0, EFD_CLOEXEC))));
  EXPECT_FALSE(is_sendable(UniqueFd(::open("/", O_RDONLY | O_CLOEXEC))));
  EXPECT_FALSE(is_sendable(UniqueFd(::open("/dev/zero", O_RDONLY | O_CLOEXEC))));
  EXPECT_FALSE(is_sendable(UniqueFd(::open("/proc/self/status", O_RDONLY | O_CLOEXEC))));
  EXPECT_FALSE(is_sendable(UniqueFd()));
}

}  // namespace
}  // namespace pyhost::gateway
