#include "serve/server_root.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "harness/temp_dir.h"

namespace pyhost::serve {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class Root : public testing::Test {
 protected:
  Root() { setenv("TMPDIR", folder_.path().c_str(), 1); }
  ~Root() override { unsetenv("TMPDIR"); }

  test::TempDir folder_;
};

TEST_F(Root, ThatIsTemporaryGoesWithItsOwner) {
  std::string path;
  {
    const auto root = ServerRoot::make_temporary(std::nullopt);
    ASSERT_TRUE(root) << root.error().sentence;
    path = root->path();
    EXPECT_TRUE(root->write("httpd.conf", "text"));
    EXPECT_THAT(server_roots_in_use(), ElementsAre(path));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(Root, ThatWasLeftBehindIsRemovedByTheNext) {
  folder_.write("pyhost-abandoned/lock", "");
  folder_.write("pyhost-abandoned/httpd.conf", "");
  folder_.write("pyhost-just-made/x", "");
  folder_.write("other/lock", "");
  const auto first = ServerRoot::make_temporary(std::nullopt);
  const auto second = ServerRoot::make_temporary(std::nullopt);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(fs::exists(folder_.path() + "/pyhost-abandoned"));
  EXPECT_TRUE(fs::exists(folder_.path() + "/pyhost-just-made"));
  EXPECT_TRUE(fs::exists(folder_.path() + "/other"));
  EXPECT_TRUE(fs::exists(first->path()));
}

TEST_F(Root, WithANameStaysAndIsTakenByOne) {
  const std::string path = folder_.path() + "/named";
  {
    const auto root = ServerRoot::take("--server-root", path);
    ASSERT_TRUE(root);
    const auto other = ServerRoot::take("--server-root", path);
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().sentence, HasSubstr("is in use by another pyhost serve"));
  }
  EXPECT_TRUE(fs::exists(path));
  EXPECT_TRUE(ServerRoot::take("--server-root", path));
}

TEST_F(Root, NeedsAFolderForTemporaryFiles) {
  setenv("TMPDIR", "/nonexistent", 1);
  const auto root = ServerRoot::make_temporary(std::nullopt);
  ASSERT_FALSE(root);
  EXPECT_THAT(root.error().sentence, HasSubstr("TMPDIR=/nonexistent"));
}

// A configuration may hold what --env tells the application.
TEST(ServerRoot, WritesFilesThatNobodyElseReads) {
  const test::TempDir folder;
  folder.write("root/httpd.conf", "of before");
  const auto root = ServerRoot::take("--server-root", folder.path() + "/root");
  ASSERT_TRUE(root) << root.error().sentence;
  ASSERT_TRUE(root->write("httpd.conf", "text"));
  const std::string file = folder.path() + "/root/httpd.conf";
  EXPECT_EQ(test::read_file(file), "text");
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(ServerRoot, SaysWhichFileCannotBeWritten) {
  const test::TempDir folder;
  const auto root = ServerRoot::take("--server-root", folder.path() + "/root");
  ASSERT_TRUE(root) << root.error().sentence;
  folder.write("root/httpd.conf/of-somebody", "");
  const auto written = root->write("httpd.conf", "text");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().sentence,
            folder.path() + "/root/httpd.conf cannot be written: File exists");
}

}  // namespace
}  // namespace pyhost::serve
