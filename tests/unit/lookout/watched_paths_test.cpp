#include "lookout/watched_paths.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/clock.h"
#include "harness/temp_dir.h"
#include "harness/wait.h"
#include "pyhost/base/file_identity.h"

namespace pyhost::lookout {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::int64_t now_us() {
  using std::chrono::duration_cast, std::chrono::microseconds, std::chrono::system_clock;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

// A clock that only these tests set; inotify queues what happened before the call that caused it
// returns. So nothing has to be waited for.
class Watched : public testing::Test {
 protected:
  std::string path(std::string_view relative) const {
    return folder_.path() + "/" + std::string(relative);
  }

  void watch(std::initializer_list<std::string_view> globs, ScanLimits limits = {}) {
    std::vector<base::PathGlob> parsed;
    for (const std::string_view each : globs) {
      auto glob = base::PathGlob::parse(path(each));
      ASSERT_TRUE(glob) << each;
      parsed.push_back(*std::move(glob));
    }
    watched_ = std::make_unique<WatchedPaths>(*watches_, std::move(parsed), now_us(), limits);
    EXPECT_EQ(changed(), "");
  }

  void heed() {
    watches_->read([this](FolderWatches::Owner owner, const FolderWatches::Event& event) {
      EXPECT_EQ(owner, watched_.get());
      watched_->heed(event, now_);
    });
  }

  // Lets all that is due be done; the path that has changed, relative.
  std::string changed() {
    heed();
    now_ += base::Debounce::kQuiet;
    std::string changed;
    while (const auto deadline = watched_->next_deadline()) {
      if (*deadline > now_) break;
      if (const auto change = watched_->advance(now_)) changed = change->path;
    }
    return changed.starts_with(path("")) ? changed.substr(path("").size()) : changed;
  }

  // As atomic deployments switch a link.
  void switch_link(std::string_view link, std::string_view target) const {
    fs::create_symlink(target, path("next"));
    fs::rename(path("next"), path(link));
  }

  test::TempDir folder_;
  std::unique_ptr<FolderWatches> watches_ = *FolderWatches::open();
  std::unique_ptr<WatchedPaths> watched_;
  base::TimePoint now_{1h};
};

TEST_F(Watched, FileIsNoticedWhenItIsWritten) {
  folder_.write("app/a.py", "1");
  watch({"app/*.py"});
  folder_.write("app/a.py", "22");
  EXPECT_EQ(changed(), "app/a.py");
  EXPECT_EQ(changed(), "");
}

TEST_F(Watched, FileIsNoticedWhenItIsTouchedReplacedRemovedOrNew) {
  folder_.write("app/a.py", "1");
  watch({"app/*.py"});
  ASSERT_EQ(utimensat(AT_FDCWD, path("app/a.py").c_str(), nullptr, 0), 0);
  EXPECT_EQ(changed(), "app/a.py");
  folder_.write("app/new~", "2");
  EXPECT_EQ(changed(), "");
  fs::rename(path("app/new~"), path("app/a.py"));
  EXPECT_EQ(changed(), "app/a.py");
  fs::remove(path("app/a.py"));
  EXPECT_EQ(changed(), "app/a.py");
  folder_.write("app/b.py", "");
  EXPECT_EQ(changed(), "app/b.py");
}

TEST_F(Watched, FileIsNoticedWhenItsRightsAreMended) {
  folder_.write("app/a.py", "1");
  fs::permissions(path("app/a.py"), fs::perms::none);
  watch({"app/a.py"});
  fs::permissions(path("app/a.py"), fs::perms::all);
  EXPECT_EQ(changed(), "app/a.py");
}

TEST_F(Watched, FileThatIsStillBeingWrittenWaitsForItsEnd) {
  folder_.write("app/a.py", "1");
  watch({"app/*.py"});
  std::ofstream file(path("app/b.py"));
  file << "half" << std::flush;
  EXPECT_EQ(changed(), "");
  file.close();
  EXPECT_EQ(changed(), "app/b.py");
}

TEST_F(Watched, BurstMakesOneChangeWhenItIsOver) {
  folder_.write("app/a.py", "1");
  watch({"app/*.py"});
  for (int i = 0; i < 10; ++i) {
    folder_.write("app/a.py", std::string(i + 2, 'x'));
    heed();
    now_ += base::Debounce::kQuiet / 2;
    EXPECT_FALSE(watched_->advance(now_));
  }
  const base::TimePoint last = now_ - base::Debounce::kQuiet / 2;
  now_ += base::Debounce::kQuiet / 2;
  const auto change = watched_->advance(now_);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->at, last);
  EXPECT_FALSE(watched_->next_deadline());
}

TEST_F(Watched, OneThatHasChangedAloneIsNamedAsTheFileThatItIs) {
  folder_.write("app/a.py", "1");
  folder_.write("app/b.py", "1");
  watch({"app/*.py"});
  const auto look = [this] {
    heed();
    now_ += base::Debounce::kQuiet;
    return watched_->advance(now_).value_or(FileChange{});
  };
  folder_.write("app/a.py", "22");
  EXPECT_EQ(look().file, base::identity_of(path("app/a.py")));
  // Who knows one of two does not know the other.
  folder_.write("app/a.py", "333");
  folder_.write("app/b.py", "333");
  EXPECT_EQ(look().file, base::kNoFile);
  folder_.write("app/c.py", "1");
  EXPECT_EQ(look().file, base::kNoFile);
}

TEST_F(Watched, OtherFilesDoNotEvenMakeItLook) {
  folder_.write("app/a.py", "1");
  watch({"app/**/*.py"});
  folder_.write("app/log.txt", "");
  folder_.write("app/.hidden.py", "");
  folder_.write("other.py", "");
  heed();
  EXPECT_FALSE(watched_->next_deadline());
  folder_.write("app/__pycache__/a.py", "");
  folder_.write("app/.git/a.py", "");
  EXPECT_EQ(changed(), "");
}

TEST_F(Watched, WritingTheSameAgainIsAChangeAndAFolderInBetweenIsNot) {
  folder_.write("app/a.py", "1");
  watch({"app/**/*.py"});
  fs::create_directory(path("app/empty"));
  EXPECT_EQ(changed(), "");
  folder_.write("app/a.py", "1");
  EXPECT_EQ(changed(), "app/a.py");
}

TEST_F(Watched, FoldersThatAppearLaterAreWatchedToo) {
  folder_.write("app/a.py", "1");
  watch({"app/**/*.py"});
  folder_.write("app/new/deep/b.py", "1");
  EXPECT_EQ(changed(), "app/new/deep/b.py");
  folder_.write("app/new/deep/c.py", "1");
  EXPECT_EQ(changed(), "app/new/deep/c.py");
}

TEST_F(Watched, PathThatIsMissingIsNoticedWhenItAppears) {
  watch({"a/b/*/c.txt"});
  folder_.write("a/unrelated", "");
  EXPECT_EQ(changed(), "");
  folder_.write("a/b/x/c.txt", "");
  EXPECT_EQ(changed(), "a/b/x/c.txt");
  fs::rename(path("a"), path("gone"));
  EXPECT_EQ(changed(), "a/b/x/c.txt");
  fs::rename(path("gone"), path("a"));
  EXPECT_EQ(changed(), "a/b/x/c.txt");
}

TEST_F(Watched, LinkIsFollowedWhenItIsSwitched) {
  folder_.write("releases/1/app/a.py", "");
  folder_.write("releases/2/app/a.py", "");
  fs::create_symlink("releases/1", path("current"));
  watch({"current/app/**/*.py"});
  switch_link("current", "releases/2");
  EXPECT_EQ(changed(), "current/app/a.py");
  folder_.write("releases/1/app/a.py", "old");
  EXPECT_EQ(changed(), "");
  folder_.write("releases/2/app/a.py", "new");
  EXPECT_EQ(changed(), "current/app/a.py");
}

TEST_F(Watched, LinkMayItselfBeWhatCounts) {
  folder_.write("releases/1/a.py", "");
  folder_.write("releases/2/a.py", "");
  fs::create_symlink(path("releases/1"), path("current"));
  watch({"current"});
  folder_.write("releases/1/b.py", "");
  EXPECT_EQ(changed(), "");
  switch_link("current", path("releases/2"));
  EXPECT_EQ(changed(), "current");
}

// As Kubernetes mounts configuration: file -> ..data/file, ..data -> ..1.
TEST_F(Watched, ChainOfLinksIsWatchedAtEachOfThem) {
  folder_.write("..1/settings.py", "");
  folder_.write("..2/settings.py", "");
  fs::create_symlink("..1", path("..data"));
  fs::create_symlink("../conf/../..data/settings.py",
                     folder_.make_writable("conf") + "/settings.py");
  watch({"conf/*.py"});
  switch_link("..data", "..2");
  EXPECT_EQ(changed(), "conf/settings.py");
  folder_.write("..2/settings.py", "2");
  EXPECT_EQ(changed(), "conf/settings.py");
}

TEST_F(Watched, LoopsOfLinksEndTheLookNotTheProgram) {
  folder_.write("app/a.py", "");
  fs::create_symlink("two", path("one"));
  fs::create_symlink("one", path("two"));
  fs::create_symlink("..", path("app/up"));
  watch({"one/*.py", "app/**/*.py"});
  folder_.write("app/a.py", "1");
  EXPECT_EQ(changed(), "app/a.py");
  EXPECT_EQ(watched_->problem(), "");
}

TEST_F(Watched, ChangesDuringTheFirstLookCount) {
  folder_.write("app/a.py", "1");
  auto glob = base::PathGlob::parse(path("app/*.py"));
  ASSERT_TRUE(glob);
  for (int i = 0; i < 2 * static_cast<int>(WatchedPaths::kEntriesPerTurn); ++i) {
    folder_.write("app/" + std::to_string(i), "");
  }
  watched_ = std::make_unique<WatchedPaths>(*watches_, std::vector{*glob}, now_us());
  EXPECT_FALSE(watched_->advance(now_));
  folder_.write("app/a.py", "2");
  EXPECT_EQ(changed(), "app/a.py");
  EXPECT_EQ(changed(), "");
}

TEST_F(Watched, ChangesBeforeTheFirstLookCount) {
  folder_.write("a.py", "");
  folder_.write("b.py", "");
  watched_ = std::make_unique<WatchedPaths>(
      *watches_, std::vector{*base::PathGlob::parse(path("*.py"))}, now_us());
  // Files are stamped with a clock that ticks.
  const auto before = base::identity_of(path("b.py")).changed_us;
  EXPECT_TRUE(test::wait_until([&] {
    folder_.write("b.py", "changed");
    return base::identity_of(path("b.py")).changed_us > before;
  }));
  EXPECT_EQ(changed(), "");
  EXPECT_EQ(changed(), "b.py");
  EXPECT_EQ(changed(), "");
}

TEST_F(Watched, MessagesThatWereLostMakeItLookAtEverything) {
  folder_.write("app/a.py", "1");
  folder_.write("app/b.py", "1");
  watch({"app/*.py"});
  unsigned queue_max = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> queue_max;
  ASSERT_GT(queue_max, 0u);
  // Two in turn, or the kernel would make one message of all.
  for (unsigned i = 0; i < queue_max / 2 + 1; ++i) {
    fs::rename(path("app/b.py"), path("app/c"));
    fs::rename(path("app/c"), path("app/b.py"));
  }
  folder_.write("app/a.py", "22");
  EXPECT_EQ(changed(), "app/a.py");
}

TEST_F(Watched, TooManyFoldersAreNamedAndTheRestIsWatched) {
  for (const char* file : {"many/1/a.py", "many/2/a.py", "many/3/a.py", "app/a.py"}) {
    folder_.write(file, "1");
  }
  // The last glob is looked at first.
  const unsigned above = std::ranges::count(path(""), '/');
  watch({"many/**/*.py", "app/*.py"}, {.folders_max = above + 3});
  EXPECT_THAT(watched_->problem(), testing::HasSubstr("folders to watch"));
  folder_.write("app/a.py", "22");
  EXPECT_EQ(changed(), "app/a.py");
}

TEST_F(Watched, TooManyFilesEndTheLook) {
  for (int i = 0; i < 50; ++i) folder_.write("many/" + std::to_string(i) + ".py", "");
  folder_.write("app/a.py", "1");
  watch({"many/*.py", "app/*.py"}, {.entries_max = 40});
  EXPECT_THAT(watched_->problem(), testing::HasSubstr("more than 40 files and folders"));
  folder_.write("app/a.py", "22");
  EXPECT_EQ(changed(), "app/a.py");
}

TEST_F(Watched, LinksThatGoToAndFroEndTheLook) {
  folder_.write("app/a.py", "1");
  fs::create_directory(path("app/d"));
  std::string target;
  while (target.size() < 4'000) target += "d/../";
  for (int i = 0; i < 600; ++i) {
    fs::create_symlink(target + std::to_string(i), path("app/" + std::to_string(i) + ".py"));
  }
  watch({"app/*.py"});
  EXPECT_THAT(watched_->problem(), testing::HasSubstr("more than 50000 files and folders"));
  EXPECT_LT(watched_->problem().size(), 1'000u);
}

TEST_F(Watched, ATurnDoesNotFollowALongLinkToItsEnd) {
  fs::create_directories(path("app/d"));
  std::string target;
  while (target.size() < 4'000) target += "d/../";
  fs::create_symlink(target + "a", path("app/a.py"));
  auto glob = base::PathGlob::parse(path("app/a.py"));
  ASSERT_TRUE(glob);
  watched_ = std::make_unique<WatchedPaths>(*watches_, std::vector{*glob}, now_us());
  watched_->advance(now_);
  EXPECT_EQ(watched_->next_deadline(), base::TimePoint());  // there is more to do at once
  EXPECT_EQ(changed(), "");
  EXPECT_EQ(watched_->problem(), "");
  folder_.write("app/a", "1");
  EXPECT_EQ(changed(), "app/a.py");
}

TEST_F(Watched, FolderOfSeveralIsWatchedUntilTheLastOfThemGoes) {
  folder_.write("app/a.py", "1");
  watch({"app/*.py"});
  {
    WatchedPaths other(*watches_, {*base::PathGlob::parse(path("app/a.py"))}, now_us());
    while (other.next_deadline()) (void)other.advance(now_);
  }
  folder_.write("app/a.py", "22");
  EXPECT_EQ(changed(), "app/a.py");
}

TEST_F(Watched, FolderThatIsClosedIsNamedAndTheRestIsWatched) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  folder_.write("app/a.py", "1");
  folder_.write("closed/a.py", "1");
  fs::permissions(path("closed"), fs::perms::none);
  watch({"closed/*.py", "app/*.py"});
  EXPECT_THAT(watched_->problem(), testing::HasSubstr("/closed cannot be watched: Permission"));
  folder_.write("app/a.py", "22");
  EXPECT_EQ(changed(), "app/a.py");
  fs::permissions(path("closed"), fs::perms::owner_all);
  EXPECT_EQ(changed(), "closed/a.py");
  EXPECT_EQ(watched_->problem(), "");
}

}  // namespace
}  // namespace pyhost::lookout
