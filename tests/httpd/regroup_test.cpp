// Graceful restarts that change what process groups there are, while requests wait.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "httpd/waiting_requests.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;

constexpr char kInclude[] =
    "Alias /scripts ${APPS}\n"
    "Include ${ROOT}/groups.conf\n";

std::string group(const std::string& name, const std::string& options = "") {
  return fmt::format(
      "WSGIDaemonProcess {0} threads=1 {1}\n"
      "WSGIScriptAlias / ${{APPS}}/sleeps.wsgi process-group={0}\n",
      name, options);
}

std::string idle_groups(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += fmt::format("WSGIDaemonProcess idle{}\n", i);
  return text;
}

void regroup(const Httpd& httpd, const std::string& groups) {
  httpd.write_file("groups.conf", groups);
  restart_with_other_descriptors(httpd);
}

struct Change {
  const char* name;
  std::string before;
  std::string after;
};

class Regroup : public testing::TestWithParam<Change> {};

TEST_P(Regroup, LosesNoRequestThatWaits) {
  const Change& change = GetParam();
  if (change.after.find("user=") != std::string::npos && geteuid() != 0) {
    GTEST_SKIP() << "only root can make a process another user's";
  }
  Httpd httpd(kInclude, {.files = {{"groups.conf", change.before}}});
  EXPECT_EQ(httpd.get("/").status, 200);
  {
    const WaitingRequests waiting(httpd);
    regroup(httpd, change.after);
    EXPECT_EQ(httpd.get("/").status, 200);
  }
  // And back again, as administrators do.
  const WaitingRequests waiting(httpd);
  regroup(httpd, change.before);
  EXPECT_EQ(httpd.get("/").status, 200);
}

INSTANTIATE_TEST_SUITE_P(
    When, Regroup,
    testing::Values(Change{"AnotherGroupHasManyWorkers", group("site"),
                           group("site") + "WSGIDaemonProcess large processes=17\n"},
                    Change{"TheGroupHasManyWorkers", group("site"), group("site", "processes=17")},
                    Change{"ThereAreManyGroups", group("site"), group("site") + idle_groups(20)},
                    Change{"TheGroupHasAnotherUser", group("site", "user=games"),
                           group("site", "user=news")},
                    Change{"TheGroupHasAnotherName", group("site"), group("place")},
                    Change{"TheSocketsLieElsewhere", group("site"),
                           group("site") + "WSGISocketPrefix ${ROOT}/elsewhere\n"}),
    [](const auto& info) { return info.param.name; });

TEST(RefusedRestart, ChangesNothingForAnybody) {
  if (geteuid() != 0) GTEST_SKIP() << "only another user can be shut out";
  Httpd httpd(kInclude, {.files = {{"groups.conf", group("site")}}});
  EXPECT_EQ(httpd.get("/").status, 200);
  // Who may not enter it is only seen when a worker starts.
  const std::string home = httpd.root() + "/home";
  ASSERT_EQ(::mkdir(home.c_str(), 0700), 0);
  const WaitingRequests waiting(httpd);
  httpd.expect_log("PH0356");
  regroup(httpd, group("site", "user=games processes=20") + idle_groups(20) +
                     "WSGIDaemonProcess bad home=" + home + "\n");
  EXPECT_THAT(httpd.log(), HasSubstr("PH0356"));
  EXPECT_EQ(httpd.get("/").status, 200);
}

TEST(RemovedGroup, EndsWithTheChildrenThatKnewIt) {
  Httpd httpd(kInclude, {.files = {{"groups.conf", group("site") + idle_groups(3)}}});
  EXPECT_TRUE(wait_until([&] { return httpd.running("pyhost-worker").size() == 4; }));
  regroup(httpd, group("site"));
  EXPECT_TRUE(wait_until([&] { return httpd.running("pyhost-worker").size() == 1; }));
  httpd.expect_log("sleeps for");
  EXPECT_EQ(httpd.get("/").status, 200);
}

}  // namespace
}  // namespace pyhost::test
