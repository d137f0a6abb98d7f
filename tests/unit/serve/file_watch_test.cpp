#include "serve/file_watch.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "harness/temp_dir.h"

namespace pyhost::serve {
namespace {

namespace fs = std::filesystem;

// inotify queues what happened before the call that caused it returns: nothing has to be waited
// for.
class WatchedFolder : public testing::Test {
 protected:
  WatchedFolder() {
    folder_.write("package/module.py", "");
    folder_.write("script.py", "");
    folder_.write(".git/hooks/hook.py", "");
    auto watch = FileWatch::start({folder_.path()}, path("script.py"));
    EXPECT_TRUE(watch.has_value()) << watch.error().sentence;
    watch_.emplace(std::move(*watch));
  }

  std::string path(const std::string& relative) const { return folder_.path() + "/" + relative; }

  test::TempDir folder_;
  std::optional<FileWatch> watch_;
};

TEST_F(WatchedFolder, ReportsNothingWhenNothingHappened) {
  EXPECT_EQ(watch_->read_change(), "");
}

TEST_F(WatchedFolder, ReportsAPythonFileThatWasWritten) {
  folder_.write("package/module.py", "changed");
  EXPECT_EQ(watch_->read_change(), path("package/module.py"));
  EXPECT_EQ(watch_->read_change(), "");
}

TEST_F(WatchedFolder, ReportsAFileThatAnEditorMovedIntoItsPlace) {
  folder_.write("package/module.py~", "changed");
  EXPECT_EQ(watch_->read_change(), "");
  fs::rename(path("package/module.py~"), path("package/module.py"));
  EXPECT_EQ(watch_->read_change(), path("package/module.py"));
}

TEST_F(WatchedFolder, ReportsAFileThatWasDeleted) {
  fs::remove(path("package/module.py"));
  EXPECT_EQ(watch_->read_change(), path("package/module.py"));
}

TEST_F(WatchedFolder, SeesFoldersThatAppearLater) {
  fs::create_directory(path("new"));
  EXPECT_EQ(watch_->read_change(), "");
  folder_.write("new/module.py", "");
  EXPECT_EQ(watch_->read_change(), path("new/module.py"));
}

TEST_F(WatchedFolder, LeavesTheScriptToHttpd) {
  folder_.write("script.py", "changed");
  EXPECT_EQ(watch_->read_change(), "");
}

TEST_F(WatchedFolder, DoesNotCareForOtherFiles) {
  folder_.write("data.txt", "");
  folder_.write(".git/hooks/hook.py", "changed");
  fs::create_directory(path("__pycache__"));
  folder_.write("__pycache__/module.py", "");
  EXPECT_EQ(watch_->read_change(), "");
}

}  // namespace
}  // namespace pyhost::serve
