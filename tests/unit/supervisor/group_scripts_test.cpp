#include "supervisor/group/group_scripts.h"

#include <gmock/gmock.h>

namespace pyhost::supervisor {
namespace {

using namespace std::chrono_literals;
using gateway::Script;
using testing::ElementsAre;
using testing::SizeIs;

constexpr base::TimePoint kStarted{1000h};
constexpr base::FileIdentity kFirst{.inode = 1, .modified_us = 1};
constexpr base::FileIdentity kSecond{.inode = 2, .modified_us = 1};

TEST(GroupScripts, KnowsEachImportOnce) {
  GroupScripts scripts;
  scripts.note_import({"shop", "/a.wsgi", "application"});
  scripts.note_import({"blog", "/a.wsgi", "application"});
  scripts.note_import({"shop", "/a.wsgi", "run"});
  EXPECT_THAT(scripts.imports(), ElementsAre(Script{"shop", "/a.wsgi", "run"},
                                             Script{"blog", "/a.wsgi", "application"}));
}

TEST(GroupScripts, KnowsABoundedNumberOfImports) {
  GroupScripts scripts;
  for (std::size_t i = 0; i < 2 * GroupScripts::kScriptsMax; ++i) {
    scripts.note_import({"", std::to_string(i), "application"});
  }
  EXPECT_THAT(scripts.imports(), SizeIs(GroupScripts::kScriptsMax));
}

TEST(GroupScripts, SaysWhenAVersionWasMetFirst) {
  GroupScripts scripts;
  EXPECT_EQ(scripts.note_change("/a.wsgi", kFirst, kStarted, kStarted + 10s), kStarted + 10s);
  EXPECT_EQ(scripts.note_change("/a.wsgi", kFirst, kStarted, kStarted + 20s), kStarted + 10s);
  EXPECT_EQ(scripts.note_change("/b.wsgi", kFirst, kStarted, kStarted + 30s), kStarted + 30s);
  EXPECT_EQ(scripts.note_change("/a.wsgi", kSecond, kStarted, kStarted + 40s), kStarted + 40s);
}

TEST(GroupScripts, TakesWhatAYoungerWorkerMeetsForAnotherChange) {
  GroupScripts scripts;
  scripts.note_change("/a.wsgi", kFirst, kStarted, kStarted + 10s);
  EXPECT_EQ(scripts.note_change("/a.wsgi", kFirst, kStarted + 10s, kStarted + 20s), kStarted + 20s);
}

TEST(GroupScripts, MayForgetVersionsButMistakesNone) {
  GroupScripts scripts;
  const auto meet_all = [&](base::TimePoint now) {
    for (std::size_t i = 0; i < 2 * GroupScripts::kScriptsMax; ++i) {
      EXPECT_EQ(scripts.note_change(std::to_string(i), kFirst, kStarted, now), now);
    }
  };
  meet_all(kStarted + 10s);
  meet_all(kStarted + 20s);
}

TEST(GroupScripts, KnowSinceWhenWorkersHaveAVersion) {
  GroupScripts scripts;
  EXPECT_FALSE(scripts.met_at("/site.wsgi", kFirst));
  scripts.note_change("/site.wsgi", kFirst, kStarted, kStarted + 10s);
  EXPECT_EQ(scripts.met_at("/site.wsgi", kFirst), kStarted + 10s);
  EXPECT_FALSE(scripts.met_at("/site.wsgi", kSecond));
  EXPECT_FALSE(scripts.met_at("/other.wsgi", kFirst));
  // A file that is gone is no version.
  scripts.note_change("/site.wsgi", base::kNoFile, kStarted, kStarted + 20s);
  EXPECT_FALSE(scripts.met_at("/site.wsgi", base::kNoFile));
}

TEST(GroupScripts, RememberWhatCouldNotBeImportedUntilItIs) {
  GroupScripts scripts;
  const gateway::Script site{"", "/site.wsgi", "application"};
  scripts.note_failure(site, "one", 5);
  scripts.note_failure(site, "two", 6);
  ASSERT_EQ(scripts.failures().size(), 1u);
  EXPECT_EQ(scripts.failures().at(script_key(site)).why, "two");
  EXPECT_EQ(scripts.failures().at(script_key(site)).since_us, 5);
  EXPECT_TRUE(scripts.imports().empty());
  scripts.note_import(site);
  EXPECT_TRUE(scripts.failures().empty());
  for (std::size_t i = 0; i < 2 * GroupScripts::kScriptsMax; ++i) {
    scripts.note_failure({"", std::to_string(i), ""}, "", 0);
  }
  EXPECT_EQ(scripts.failures().size(), GroupScripts::kScriptsMax);
}

TEST(GroupScripts, KnowInWhichApplicationGroupsAFileRuns) {
  GroupScripts scripts;
  const gateway::Script site{"", "/site.wsgi", "application"};
  const gateway::Script shop{"shop", "/site.wsgi", "application"};
  scripts.note_import(site);
  scripts.note_import({"", "/other.wsgi", "application"});
  scripts.note_failure(shop, "why", 5);
  EXPECT_EQ(scripts.keys_of("/site.wsgi"), (ScriptKeys{script_key(site), script_key(shop)}));
  EXPECT_TRUE(scripts.keys_of("/unknown.wsgi").empty());
}

}  // namespace
}  // namespace pyhost::supervisor
