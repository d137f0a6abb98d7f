// What mod_status shows of process groups.

#include <gmock/gmock.h>
#include <signal.h>

#include "harness/command.h"
#include "harness/httpd.h"
#include "httpd/versions.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr char kPage[] =
    "<Location /server-status>\n  SetHandler server-status\n  Require all granted\n</Location>\n";

class StatusPage : public testing::Test {
 protected:
  std::string brief() const { return httpd_.get("/server-status?auto").body; }

  Httpd httpd_{
      "WSGIDaemonProcess 'b<g>' threads=3\n"
      "WSGIScriptAlias /shop ${ROOT}/site.wsgi process-group='b<g>'\n"
      "<Location /shop>\n  Require all granted\n</Location>\n" +
          std::string(kPage),
      {.processes = 4, .files = {{"site.wsgi", version(1)}}}};
};

TEST_F(StatusPage, ShowsEveryGroupAndItsWorkers) {
  EXPECT_EQ(httpd_.get("/shop").body, "1");
  EXPECT_TRUE(wait_until([this] { return brief().find("requests 1") != std::string::npos; }));
  EXPECT_THAT(brief(), AllOf(HasSubstr("ProcessGroup b<g> State: serving\n"),
                             HasSubstr("ProcessGroup b<g> Waiting: 0\n"),
                             ContainsRegex("ProcessGroup b<g> Worker 0: ready, pid [0-9]+, "
                                           "generation 1, requests 1, busy 0/3, last death: -\n")));
  const std::string page = httpd_.get("/server-status").body;
  EXPECT_THAT(page, AllOf(HasSubstr("<p>b&lt;g&gt;: <b>serving</b>, 0 requests wait"),
                          HasSubstr("<td>1</td><td>1</td><td>0/3</td><td>-</td></tr>"),
                          Not(HasSubstr("b<g>"))));
  EXPECT_THAT(httpd_.get("/server-status?notable").body, HasSubstr("<li>worker 0: ready, pid "));
}

TEST_F(StatusPage, SaysThatABrokenDeployIsNotServed) {
  EXPECT_EQ(httpd_.get("/shop").body, "1");
  replace_file(httpd_.root() + "/site.wsgi", "raise ValueError('not today')\n");
  EXPECT_EQ(httpd_.get("/shop").body, "1");
  EXPECT_THAT(brief(), HasSubstr("ProcessGroup b<g> State: degraded\n"));
  for (const char* expected : {"PH0109", "PH0406", "PH0411"}) {
    httpd_.expect_log(expected);
  }
}

TEST_F(StatusPage, SaysThatAScriptCannotBeImported) {
  replace_file(httpd_.root() + "/site.wsgi", "raise ValueError('not today')\n");
  for (const char* text : {"PH0109", "PH0303"}) httpd_.tolerate_log(text);
  EXPECT_EQ(httpd_.get("/shop").status, 500);
  EXPECT_TRUE(wait_until(
      [this] { return brief().find("ProcessGroup b<g> State: failing\n") != std::string::npos; }));
}

TEST_F(StatusPage, SaysThatAGroupIsStoppedAndHowItsWorkerEnded) {
  EXPECT_EQ(httpd_.get("/shop").body, "1");
  kill(httpd_.running("pyhost-worker").front(), SIGKILL);
  httpd_.expect_log("PH0407");
  httpd_.wait_for_log("PH0407");
  // A planned end behind it is none of these.
  const CommandResult stopped =
      run_command({PYHOST_TEST_PROGRAM, "stop", "b<g>", "--server-root", httpd_.root()});
  EXPECT_TRUE(stopped.ok()) << stopped;
  EXPECT_THAT(brief(), HasSubstr("ProcessGroup b<g> State: stopped\n"));
  EXPECT_TRUE(wait_until([this] {
    return brief().find("last death: generation 1 was killed by signal 9") != std::string::npos;
  }));
}

TEST(StatusPageOfAnHttpdWithoutGroups, IsLeftAlone) {
  const Httpd httpd(kPage, {.place = Place::embedded});
  const Response page = httpd.get("/server-status");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, Not(HasSubstr("process groups")));
}

}  // namespace
}  // namespace pyhost::test
