#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "harness/temp_dir.h"
#include "launch/credentials.h"
#include "launch/listening_socket.h"
#include "launch/worker_environment.h"
#include "launch/worker_start.h"
#include "scoreboard/board_rows.h"

namespace pyhost::launch {
namespace {

using settings::ProcessGroup;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::StartsWith;

constexpr control::HttpdIdentity kHttpd{.uid = 33, .gid = 33};

ProcessGroup group_with(
    std::initializer_list<std::pair<std::string_view, std::string_view>> options) {
  ProcessGroup group;
  group.name = "shop";
  for (const auto& [key, value] : options) {
    const auto parsed = settings::parse_process_group_option(group, key, value);
    EXPECT_TRUE(parsed) << parsed.error().sentence;
  }
  return group;
}

std::string refusal(const ProcessGroup& group, control::HttpdIdentity httpd = kHttpd) {
  const auto resolved = launch::resolve_credentials(group, httpd);
  return resolved ? "" : resolved.error().sentence;
}

TEST(Credentials, NameWhatTheSystemDoesNotKnow) {
  EXPECT_EQ(refusal(group_with({{"user", "nobody-here"}})),
            "WSGIDaemonProcess shop: there is no user nobody-here on this system");
  EXPECT_THAT(refusal(group_with({{"user", "#3999999999"}})), HasSubstr("no user #3999999999"));
  EXPECT_THAT(refusal(group_with({{"group", "nobody-here"}})), HasSubstr("no group nobody-here"));
}

class PrivilegedCredentials : public testing::Test {
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
};

TEST_F(PrivilegedCredentials, AreHttpdsByDefault) {
  const auto resolved = launch::resolve_credentials(group_with({}), kHttpd);
  ASSERT_TRUE(resolved) << resolved.error().sentence;
  EXPECT_TRUE(resolved->privileged);
  EXPECT_EQ(resolved->uid, 33u);
  EXPECT_EQ(resolved->gid, 33u);
  EXPECT_EQ(resolved->user_name, "www-data");
  EXPECT_FALSE(resolved->other_than_httpd);
}

TEST_F(PrivilegedCredentials, KeepHttpdsGroupWhenOnlyTheUserIsGiven) {
  const auto resolved = launch::resolve_credentials(group_with({{"user", "nobody"}}), kHttpd);
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved->uid, 65534u);
  EXPECT_EQ(resolved->gid, 33u);
  EXPECT_TRUE(resolved->other_than_httpd);
}

TEST_F(PrivilegedCredentials, TakeTheGivenSupplementaryGroupsOnly) {
  const auto resolved =
      launch::resolve_credentials(group_with({{"supplementary-groups", "daemon,#4242"}}), kHttpd);
  ASSERT_TRUE(resolved);
  EXPECT_THAT(resolved->groups, ElementsAre(1u, 33u, 4242u));
}

TEST_F(PrivilegedCredentials, RefuseRoot) {
  EXPECT_THAT(refusal(group_with({}), {.uid = 0, .gid = 0}), HasSubstr("would run as root"));
}

TEST_F(PrivilegedCredentials, RefuseTheGroupOfRoot) {
  EXPECT_THAT(refusal(group_with({}), {.uid = 33, .gid = 0}), HasSubstr("the group root"));
  EXPECT_THAT(refusal(group_with({{"group", "#0"}})), HasSubstr("the group root"));
  EXPECT_THAT(refusal(group_with({{"supplementary-groups", "daemon,root"}})),
              HasSubstr("the group root"));
}

TEST(OrdinaryCredentials, AreTheirOwnWhateverNeedsRoot) {
  if (geteuid() == 0) GTEST_SKIP() << "needs an ordinary user";
  EXPECT_THAT(launch::options_for_root(group_with({{"cpu-priority", "1"}})), IsEmpty());
  const ProcessGroup group = group_with({{"user", "daemon"},
                                         {"group", "daemon"},
                                         {"supplementary-groups", "daemon"},
                                         {"cpu-priority", "-1"},
                                         {"oom-score-adjust", "-1000"}});
  EXPECT_THAT(launch::options_for_root(group),
              ElementsAre("user=", "group=", "supplementary-groups=", "cpu-priority= below 0",
                          "oom-score-adjust= below httpd's"));
  const auto plan = launch::plan_worker(group, {.uid = 33, .gid = 33}, "/bin/true");
  ASSERT_TRUE(plan) << plan.error().sentence;
  EXPECT_EQ(plan->credentials.uid, geteuid());
  EXPECT_EQ(plan->credentials.gid, getegid());
  EXPECT_FALSE(plan->credentials.other_than_httpd);
  EXPECT_EQ(plan->cpu_priority, 0);
  EXPECT_FALSE(plan->oom_score_adjust);
}

TEST(OrdinaryCredentials, RefuseWhatIsNotThereAndAJail) {
  if (geteuid() == 0) GTEST_SKIP() << "needs an ordinary user";
  EXPECT_EQ(refusal(group_with({})), "");
  EXPECT_THAT(refusal(group_with({{"user", "nobody-here"}})), HasSubstr("there is no user"));
  EXPECT_THAT(refusal(group_with({{"chroot", "/"}})), HasSubstr("chroot= needs"));
}

TEST(PrivilegedPlan, LeavesNoOptionToRootAlone) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_THAT(launch::options_for_root(group_with({{"user", "daemon"}, {"cpu-priority", "-1"}})),
              IsEmpty());
}

class WorkerEnvironment : public testing::Test {
 protected:
  auto make(const ProcessGroup& group, const std::string& env_text = "") {
    return launch::worker_environment(group, credentials, inherited, env_text);
  }

  const launch::Credentials credentials{.uid = 1, .user_name = "shop", .home = "/home/shop"};
  const char* inherited[6] = {"PATH=/bin", "HOME=/root", "USER=root", "A=old", "junk", nullptr};
};

TEST_F(WorkerEnvironment, IsInheritedButForTheUser) {
  const auto variables = make(group_with({}));
  ASSERT_TRUE(variables);
  EXPECT_THAT(*variables, ElementsAre("A=old", "HOME=/home/shop", "LC_CTYPE=C.UTF-8", "PATH=/bin",
                                      "USER=shop"));
}

TEST_F(WorkerEnvironment, HasWhatTheOptionsSay) {
  const auto variables =
      make(group_with({{"lang", "C.UTF-8"},
                       {"locale", "C"},
                       {"python-eggs", "/eggs"},
                       {"env", "F=1"},
                       {"env", "F=a=b"}}),
           "# comment\n\n A=file\r\nB = \"two words\"\nC='x'\nD='\"\nE=\nF=from file\n");
  ASSERT_TRUE(variables) << variables.error().sentence;
  EXPECT_THAT(*variables, IsSupersetOf({"LANG=C.UTF-8", "LC_ALL=C", "PYTHON_EGG_CACHE=/eggs",
                                        "A=file", "B=two words", "C=x", "D='\"", "E=", "F=a=b"}));
  EXPECT_THAT(*variables, Not(Contains("F=1")));
  EXPECT_THAT(*variables, Not(Contains(StartsWith("USERNAME="))));
}

TEST_F(WorkerEnvironment, HasALocaleThatIsNotInstalled) {
  const auto variables = make(group_with({{"lang", "xx_YY"}, {"locale", "xx_YY.UTF-8"}}));
  ASSERT_TRUE(variables) << variables.error().sentence;
  EXPECT_THAT(*variables, IsSupersetOf({"LANG=xx_YY", "LC_ALL=xx_YY.UTF-8"}));
}

TEST_F(WorkerEnvironment, LetsProgramsUnderstandUtf8WhereNoLocaleIsNamed) {
  const auto has_ctype = Contains(StartsWith("LC_CTYPE="));
  EXPECT_THAT(*make(group_with({{"lang", "C"}})), Contains("LC_CTYPE=C.UTF-8"));
  EXPECT_THAT(*make(group_with({{"lang", "xx_YY"}})), Contains("LC_CTYPE=C.UTF-8"));
  EXPECT_THAT(*make(group_with({{"lang", "C.UTF-8"}})), Not(has_ctype));
  EXPECT_THAT(*make(group_with({{"locale", "C"}})), Not(has_ctype));
  EXPECT_THAT(*make(group_with({{"env", "LC_CTYPE=POSIX"}})), Contains("LC_CTYPE=C.UTF-8"));
}

TEST_F(WorkerEnvironment, NamesTheLineOfAFileThatIsWrong) {
  const auto variables = make(group_with({{"env-file", "/srv/env"}}), "A=1\nexport\n");
  ASSERT_FALSE(variables);
  EXPECT_THAT(variables.error().sentence, HasSubstr("/srv/env: line 2 is not NAME=value"));
}

TEST(WorkerPlan, NamesTheProcess) {
  const auto name = [](const ProcessGroup& group) {
    const auto plan = launch::plan_worker(group, kHttpd, "/bin/worker");
    return plan ? plan->display_name : plan.error().sentence;
  };
  EXPECT_EQ(name(group_with({})), "/bin/worker");
  EXPECT_EQ(name(group_with({{"display-name", "%{GROUP}"}})), "(wsgi:shop)");
  EXPECT_EQ(name(group_with({{"display-name", "mine"}})), "mine");
}

TEST(WorkerPlan, GivesTheDrainItsTimeBehindTheCpuLimit) {
  const auto plan = launch::plan_worker(
      group_with(
          {{"cpu-time-limit", "1500ms"}, {"graceful-timeout", "3"}, {"shutdown-timeout", "2"}}),
      kHttpd, "/bin/worker");
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->limits.size(), 1u);
  EXPECT_EQ(plan->limits[0], (launch::ResourceLimit{.resource = RLIMIT_CPU, .soft = 2, .hard = 8}));
}

TEST(ListeningSocket, IsForItsOwnerAloneAndRemovedAtTheEnd) {
  const test::TempDir folder;
  const std::string path = launch::socket_path(folder.path() + "/wsgi", 3, scoreboard::row_of(1));
  EXPECT_THAT(path, testing::EndsWith("/wsgi.3.1.sock"));
  struct stat info {};
  {
    const auto socket = launch::ListeningSocket::open(path, group_with({}), std::nullopt);
    ASSERT_TRUE(socket) << socket.error().sentence;
    ASSERT_EQ(lstat(path.c_str(), &info), 0);
    EXPECT_TRUE(S_ISSOCK(info.st_mode));
    EXPECT_EQ(info.st_mode & 0777, 0600u);
  }
  EXPECT_NE(lstat(path.c_str(), &info), 0);
}

TEST(ListeningSocket, OfAKeeperLiesBesideThatOfItsSlot) {
  EXPECT_EQ(launch::socket_path("/run/wsgi", 3, scoreboard::keeper_row(1, 0)),
            "/run/wsgi.3.1.kept1.sock");
  EXPECT_EQ(launch::socket_path("/run/wsgi", 3, scoreboard::keeper_row(1, 1)),
            "/run/wsgi.3.1.kept2.sock");
  EXPECT_EQ(scoreboard::keeper_row(1, scoreboard::kKeepersOfSlot - 1) + 1, scoreboard::row_of(2));
}

TEST(ListeningSocket, LeavesThePathToItsSuccessor) {
  const test::TempDir folder;
  const std::string path = folder.path() + "/s";
  auto first = launch::ListeningSocket::open(path, group_with({}), std::nullopt);
  const auto second = launch::ListeningSocket::open(path, group_with({}), std::nullopt);
  ASSERT_TRUE(first && second);
  { const launch::ListeningSocket gone = *std::move(first); }
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
}

TEST(ListeningSocket, RefusesAPathThatIsTooLong) {
  const std::string path = "/tmp/" + std::string(200, 'x');
  const auto socket = launch::ListeningSocket::open(path, group_with({}), std::nullopt);
  ASSERT_FALSE(socket);
  EXPECT_THAT(socket.error().sentence, HasSubstr("WSGISocketPrefix a shorter one"));
}

TEST(ListeningSocket, NamesAPathThatCannotBeMade) {
  const auto socket =
      launch::ListeningSocket::open("/no/such/folder/s", group_with({}), std::nullopt);
  ASSERT_FALSE(socket);
  EXPECT_THAT(socket.error().sentence, HasSubstr("/no/such/folder/s"));
}

}  // namespace
}  // namespace pyhost::launch
