// A process that does not import a changed script again.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "engine/engine_fixture.h"
#include "harness/wait.h"
#include "pyhost/base/file_identity.h"

namespace pyhost::test {

gateway::EngineSettings engine_settings() {
  return {.changed_scripts = gateway::ChangedScripts::refused};
}

namespace {

using gateway::Outcome;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kVersion1[] = R"(
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'1']
)";
constexpr std::int64_t kEndOfTime = INT64_MAX;

std::vector<gateway::Script> imported(const Script& script) {
  auto all = engine().watch()->imported_scripts();
  std::erase_if(all, [&](const auto& each) { return each.script != script.path(); });
  return all;
}

class OutdatedScript : public ::testing::Test {
 protected:
  void TearDown() override { engine().watch()->accept_changes_until(0); }
};

TEST_F(OutdatedScript, IsNotRun) {
  Script script(kVersion1);
  EXPECT_EQ(run(script).body(), "1");
  script.rewrite("1/0");
  for (int i = 0; i < 2; ++i) {
    const Reply reply = run(script);
    EXPECT_EQ(reply.outcome.kind, Outcome::Kind::outdated);
    EXPECT_EQ(reply.exchange->parts().size(), 0u);
    EXPECT_EQ(reply.log(), "");
  }
}

TEST_F(OutdatedScript, IsRunWhereItIsNotToBeReloaded) {
  Script script(kVersion1);
  EXPECT_EQ(run(script).body(), "1");
  script.rewrite("1/0");
  EXPECT_EQ(run({.script = script.path(), .reloading = gateway::Reloading::off}).body(), "1");
}

TEST_F(OutdatedScript, GoesOnWhenItsChangeIsAccepted) {
  Script script(kVersion1);
  EXPECT_EQ(run(script).body(), "1");
  script.rewrite("1/0");
  engine().watch()->accept_changes_until(kEndOfTime);
  EXPECT_EQ(run(script).body(), "1");
  engine().watch()->accept_changes_until(0);
  EXPECT_EQ(run(script).body(), "1");
  script.rewrite("2/0");
  EXPECT_EQ(run(script).outcome.kind, Outcome::Kind::outdated);
}

TEST_F(OutdatedScript, IsNotHiddenByAClockThatWasSetBack) {
  Script script(kVersion1);
  EXPECT_EQ(run(script).body(), "1");
  script.rewrite("1/0");
  engine().watch()->accept_changes_until(kEndOfTime);
  EXPECT_EQ(run(script).body(), "1");
  script.rewrite("2/0");
  EXPECT_EQ(run(script).outcome.kind, Outcome::Kind::outdated);
  EXPECT_EQ(run(script).outcome.kind, Outcome::Kind::outdated);
  engine().watch()->accept_changes_until(kEndOfTime - 1);
  EXPECT_EQ(run(script).body(), "1");
}

TEST_F(OutdatedScript, IsOneOfTheSameTimeInTheOthersPlace) {
  const Script script(kVersion1);
  EXPECT_EQ(run(script).body(), "1");
  const std::string next = script.folder() / "next";
  std::ofstream(next) << kVersion1;
  std::filesystem::last_write_time(next, std::filesystem::last_write_time(script.path()));
  std::filesystem::rename(next, script.path());
  EXPECT_EQ(run(script).outcome.kind, Outcome::Kind::outdated);
}

// The file is older than the moment, but the link to it is not.
TEST_F(OutdatedScript, IsOneThatALinkWasSwitchedToLater) {
  const Script old(kVersion1), next(kVersion1);
  const std::filesystem::path link = old.folder() / "current.wsgi";
  std::filesystem::create_symlink(old.path(), link);
  const gateway::Target target{.script = link.native()};
  EXPECT_EQ(run(target).body(), "1");
  const base::FileIdentity before = base::identity_of(next.path());
  engine().watch()->accept_changes_until(before.changed_us);
  ASSERT_TRUE(wait_until([&] {
    std::filesystem::remove(link);
    std::filesystem::create_symlink(next.path(), link);
    return base::last_change_us(link) > before.changed_us;
  }));
  EXPECT_EQ(run(target).outcome.kind, Outcome::Kind::outdated);
}

TEST_F(OutdatedScript, IsTheFileItselfNotWhatHttpdHasSeenOfIt) {
  const Script script(kVersion1);
  EXPECT_EQ(run(script).body(), "1");
  EXPECT_EQ(run({.script = script.path(), .script_file = {.inode = 1}}).body(), "1");
}

TEST_F(OutdatedScript, IsOneThatCouldNotBeImportedAndHasChanged) {
  Script script("1/0");
  EXPECT_EQ(run(script).refused(), 500);
  script.rewrite("2/0");
  EXPECT_EQ(run(script).outcome.kind, Outcome::Kind::outdated);
  engine().watch()->accept_changes_until(kEndOfTime);
  EXPECT_EQ(run(script).refused(), 500);
  script.rewrite(kVersion1);
  EXPECT_EQ(run(script).outcome.kind, Outcome::Kind::outdated);
}

// "populate() isn't reentrant": what an import has done to the process stays done.
TEST(FailedScript, IsNotImportedASecondTime) {
  const Script script(R"(
import os
count = int(os.environ.get('FAILED_SCRIPT', 0)) + 1
os.environ['FAILED_SCRIPT'] = str(count)
raise ValueError(f'import {count}')
)");
  const Reply first = run(script);
  EXPECT_EQ(first.refused(), 500);
  EXPECT_TRUE(first.outcome.import_failed);
  EXPECT_THAT(first.log(), HasSubstr("Traceback"));
  const std::string why =
      fmt::format("script {} could not be imported: ValueError: import 1", script.path());
  EXPECT_EQ(first.outcome.why, why);
  const Reply second = run({.script = script.path(), .reloading = gateway::Reloading::off});
  EXPECT_EQ(second.refused(), 500);
  EXPECT_EQ(second.outcome.why, why);
  EXPECT_EQ(second.log(), "");
  LogRecorder log;
  EXPECT_EQ(engine().prepare({.script = script.path()}, log).error().sentence, why);
}

TEST(FailedScript, IsOneWithoutItsCallable) {
  const Script script("answer = 42");
  const Reply reply = run(script);
  EXPECT_TRUE(reply.outcome.import_failed);
  EXPECT_THAT(reply.outcome.why, HasSubstr("does not define 'application'"));
}

TEST(ImportedScripts, AreCountedAndNamed) {
  const unsigned before = engine().watch()->imports();
  const Script script(kVersion1);
  EXPECT_EQ(run(script).body(), "1");
  EXPECT_EQ(run(script, {}, "shop").body(), "1");
  EXPECT_EQ(run(script).body(), "1");
  EXPECT_EQ(engine().watch()->imports(), before + 2);
  EXPECT_THAT(imported(script),
              ElementsAre(gateway::Script{.script = script.path(), .callable = "application"},
                          gateway::Script{.application_group = "shop",
                                          .script = script.path(),
                                          .callable = "application"}));
}

TEST(ImportedScripts, NameNoCallableThatTheyLack) {
  const Script script("answer = 42");
  EXPECT_EQ(run(script).refused(), 500);
  EXPECT_THAT(imported(script), ElementsAre(gateway::Script{.script = script.path()}));
}

TEST(ImportedScripts, NeedNoCallableInAPreloadThatNamesNone) {
  LogRecorder log;
  const Script script("answer = 42");
  EXPECT_TRUE(engine().prepare({.script = script.path(), .callable = ""}, log));
  EXPECT_EQ(log.text_of(base::Message::callable_missing), "");
  EXPECT_THAT(imported(script), Contains(gateway::Script{.script = script.path()}));
}

constexpr char kAlwaysChanged[] = R"(
def reload_required(path):
    return True
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'1']
)";

TEST_F(OutdatedScript, IsOneThatSaysSo) {
  const Script script(kAlwaysChanged);
  EXPECT_EQ(run(script).body(), "1");
  const Reply reply = run(script);
  EXPECT_EQ(reply.outcome.kind, Outcome::Kind::outdated);
  EXPECT_EQ(reply.log(), "");
}

TEST_F(OutdatedScript, ServesARequestBeforeItSaysSo) {
  const Script script(kAlwaysChanged);
  ASSERT_TRUE(engine().prepare({.script = script.path(), .reloading = gateway::Reloading::off},
                               server_log()));
  EXPECT_EQ(run(script).body(), "1");
  EXPECT_EQ(run(script).outcome.kind, Outcome::Kind::outdated);
}

TEST_F(OutdatedScript, GoesOnWhenItHasSaidSoInVain) {
  const Script script(kAlwaysChanged);
  EXPECT_EQ(run(script).body(), "1");
  EXPECT_EQ(run(script).outcome.kind, Outcome::Kind::outdated);
  engine().watch()->accept_changes_until(kEndOfTime);
  EXPECT_EQ(run(script).body(), "1");
}

}  // namespace
}  // namespace pyhost::test
