#include "pyhost/base/file_identity.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "harness/temp_dir.h"

namespace pyhost::base {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class FileIdentityTest : public testing::Test {
 protected:
  // The same modification time for all.
  std::string write(std::string_view relative, std::string_view text) const {
    const std::string path = dir.write(relative, text);
    fs::last_write_time(path, an_hour_ago);
    return path;
  }
  std::string path(std::string_view relative) const {
    return dir.path() + "/" + std::string(relative);
  }
  // Of the entry itself; only when the clock for files has gone on is a later change a later time.
  std::int64_t entry_changed_us(const std::string& entry) const {
    struct stat status {};
    EXPECT_EQ(::lstat(entry.c_str(), &status), 0);
    return base::identity_of(status).changed_us;
  }

  const fs::file_time_type an_hour_ago = fs::file_time_type::clock::now() - 1h;
  const test::TempDir dir;
};

TEST_F(FileIdentityTest, StaysTheSameForAFileThatIsLeftAlone) {
  const std::string file = write("a", "text");
  EXPECT_NE(base::identity_of(file), base::kNoFile);
  EXPECT_EQ(base::identity_of(file), base::identity_of(file));
}

TEST_F(FileIdentityTest, IsNoneWhereThereIsNoFile) {
  EXPECT_EQ(base::identity_of(path("missing")), base::kNoFile);
  EXPECT_EQ(base::last_change_us(path("missing")), 0);
}

TEST_F(FileIdentityTest, TellsFilesOfTheSameTimeAndSizeApart) {
  const base::FileIdentity one = base::identity_of(write("a", "text"));
  const base::FileIdentity other = base::identity_of(write("b", "text"));
  EXPECT_EQ(one.modified_us, other.modified_us);
  EXPECT_EQ(one.bytes, other.bytes);
  EXPECT_NE(one, other);
}

TEST_F(FileIdentityTest, IsThatOfTheFileBehindLinks) {
  const std::string file = write("1/a", "text");
  fs::create_symlink("1", path("current"));
  EXPECT_EQ(base::identity_of(path("current/a")), base::identity_of(file));
}

TEST_F(FileIdentityTest, CameWhenALinkOnTheWayWasSwitched) {
  const std::string file = write("releases/1/a", "text");
  std::this_thread::sleep_for(20ms);
  fs::create_symlink("releases/1", path("current"));
  fs::create_symlink(path("current/../1/a"), path("a"));
  ASSERT_GT(entry_changed_us(path("current")), base::identity_of(file).changed_us);
  EXPECT_EQ(base::last_change_us(file), base::identity_of(file).changed_us);
  EXPECT_EQ(base::last_change_us(path("current/a")), entry_changed_us(path("current")));
  EXPECT_EQ(base::last_change_us(path("a")), entry_changed_us(path("a")));
}

TEST_F(FileIdentityTest, ComesToAnEndWhereLinksDoNot) {
  fs::create_symlink("two", path("one"));
  fs::create_symlink("one", path("two"));
  EXPECT_EQ(base::last_change_us(path("one")), 0);
}

}  // namespace
}  // namespace pyhost::base
