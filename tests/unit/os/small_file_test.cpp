#include "os/small_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/temp_dir.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::base {
namespace {

using testing::HasSubstr;

std::string refusal_of(const std::string& path) {
  const auto text = os::read_small_file(path);
  return text ? "read" : text.error().sentence;
}

TEST(SmallFile, IsReadToItsEnd) {
  const test::TempDir folder;
  const std::string text(os::kSmallFileBytes, 'x');
  EXPECT_EQ(*os::read_small_file(folder.write("file", text)), text);
  EXPECT_EQ(*os::read_small_file(folder.write("empty", "")), "");
}

TEST(SmallFile, IsNotReadWhenItIsLarge) {
  const test::TempDir folder;
  const std::string text(os::kSmallFileBytes + 1, 'x');
  EXPECT_THAT(refusal_of(folder.write("file", text)), HasSubstr("larger than"));
}

TEST(SmallFile, IsNeverWaitedFor) {
  const test::TempDir folder;
  const std::string fifo = folder.path() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0644), 0);
  EXPECT_EQ(refusal_of(fifo), "it is no regular file");
  const std::string link = folder.path() + "/link";
  ASSERT_EQ(symlink("/dev/zero", link.c_str()), 0);
  EXPECT_EQ(refusal_of(link), "it is no regular file");
  EXPECT_EQ(refusal_of(folder.path()), "it is no regular file");
  EXPECT_EQ(refusal_of(folder.path() + "/none"), "No such file or directory");
}

TEST(SmallFile, IsReadFromItsStartWhereverADescriptorStands) {
  const test::TempDir folder;
  const base::UniqueFd file(::open(folder.write("file", "whole").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::lseek(file.get(), 3, SEEK_SET), 3);
  EXPECT_EQ(os::read_whole(file.get(), 5).value(), "whole");
  EXPECT_EQ(os::read_whole(file.get(), 4).error().sentence, "it is larger than 4 bytes");
}

TEST(SmallFile, OfRootIsOneThatNobodyElseCanHavePutThere) {
  if (geteuid() != 0) GTEST_SKIP() << "needs files of root";
  const auto is_read = [](const std::string& path) {
    return os::read_small_file_of_root(path).has_value();
  };
  EXPECT_TRUE(is_read("/etc/passwd"));
  const test::TempDir folder;
  folder.make_writable("open");
  EXPECT_FALSE(is_read(folder.write("open/file", "x")));
  EXPECT_FALSE(is_read("/proc/self/root/etc/passwd"));
  EXPECT_FALSE(is_read("/etc/nothing"));
}

}  // namespace
}  // namespace pyhost::base
