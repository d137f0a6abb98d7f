// Hook scripts in a process group that is down, full, too slow or dies: nobody gets access by that.

#include <gmock/gmock.h>
#include <signal.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "harness/command.h"
#include "harness/httpd.h"
#include "harness/stopped_process.h"
#include "harness/wait.h"
#include "httpd/hook_places.h"

namespace pyhost::test {
namespace {

// A page behind an access script in the group `hooks`.
std::string site(const std::string& group_options, const std::string& hook_options = "") {
  return "WSGIDaemonProcess hooks " + group_options +
         "\n"
         "Alias /x ${ROOT}/htdocs/page.txt\n"
         "<Location /x>\n"
         "WSGIAccessScript ${APPS}/hooks.py process-group=hooks " +
         hook_options +
         "\n"
         "AuthType Basic\nAuthName test\nAuthBasicProvider wsgi\n"
         "WSGIAuthUserScript ${APPS}/hooks.py process-group=hooks " +
         hook_options +
         "\n"
         "WSGIAuthGroupScript ${APPS}/hooks.py process-group=hooks " +
         hook_options +
         "\n"
         "<RequireAll>\nRequire valid-user\nRequire wsgi-group staff\n</RequireAll>\n"
         "</Location>\n"
         "Alias /sso ${ROOT}/htdocs/page.txt\n"
         "<Location /sso>\n"
         "WSGICheckAuthn ${APPS}/hooks.py process-group=hooks " +
         hook_options + "\nRequire valid-user\n</Location>\n";
}

Options with_page() {
  return {.files = {{"htdocs/page.txt", "the page"}}};
}

Response get(const Httpd& httpd, const std::string& path, const std::string& who = "bob:pw") {
  return httpd.request({.path = path, .headers = basic(who)});
}

void expect_unavailable(const Response& reply) {
  EXPECT_EQ(reply.status, 503) << reply;
  EXPECT_TRUE(reply.header("Retry-After")) << reply;
  EXPECT_FALSE(reply.header("WWW-Authenticate")) << reply;
}

TEST(HookFailure, OfAWorkerThatIsKilledIsNoAccess) {
  HookedHttpd httpd(site("threads=2"), with_page());
  EXPECT_EQ(get(httpd, "/x").body, "the page");
  expect_unavailable(get(httpd, "/x?access=die"));
  expect_unavailable(get(httpd, "/x", "eve:die"));
  expect_unavailable(get(httpd, "/x?groups=die"));
  expect_unavailable(httpd.get("/sso?authn=die"));
  EXPECT_EQ(get(httpd, "/x").body, "the page");
  httpd.expect_log("PH0450");
  httpd.expect_log("PH0407");
}

TEST(HookFailure, OfAScriptThatIsTooSlowIsNoAccess) {
  HookedHttpd httpd(site("processes=4 threads=1 shutdown-timeout=1", "timeout=300ms"), with_page());
  // Workers need longer for their start.
  EXPECT_TRUE(wait_until([&] { return get(httpd, "/x").status == 200; }));
  expect_unavailable(get(httpd, "/x?access=sleep"));
  expect_unavailable(get(httpd, "/x", "eve:sleep"));
  expect_unavailable(get(httpd, "/x?groups=sleep"));
  expect_unavailable(httpd.get("/sso?authn=sleep"));
  // By now all threads are busy.
  expect_unavailable(get(httpd, "/x"));
  httpd.expect_log("PH0500");
  httpd.tolerate_log("PH0478");
  httpd.tolerate_log("PH0408");
  httpd.tolerate_log("PH0306");
}

TEST(HookFailure, OfAFullQueueIsNoAccess) {
  HookedHttpd httpd(site("threads=1 queue=0 shutdown-timeout=1", "timeout=20s"), with_page());
  // Where nobody may wait, a thread that has just answered may still be busy for the next question.
  EXPECT_TRUE(wait_until([&] { return get(httpd, "/x").body == "the page"; }));
  const std::jthread busy([&] { get(httpd, "/x?access=sleep"); });
  httpd.wait_for_log("asked to sleep");
  expect_unavailable(get(httpd, "/x"));
  expect_unavailable(httpd.get("/sso"));
  for (const pid_t worker : httpd.running("pyhost-worker")) ::kill(worker, SIGKILL);
  httpd.expect_log("PH0452");
  httpd.expect_log("PH0450");
  httpd.expect_log("PH0407");
}

TEST(HookFailure, OfAGroupThatIsStoppedIsNoAccess) {
  HookedHttpd httpd(site(""), with_page());
  EXPECT_EQ(get(httpd, "/x").body, "the page");
  EXPECT_TRUE(
      run_command({PYHOST_TEST_PROGRAM, "stop", "hooks", "--server-root", httpd.root()}).ok());
  expect_unavailable(get(httpd, "/x"));
  expect_unavailable(httpd.get("/sso"));
  EXPECT_TRUE(
      run_command({PYHOST_TEST_PROGRAM, "start", "hooks", "--server-root", httpd.root()}).ok());
  EXPECT_EQ(get(httpd, "/x").body, "the page");
  httpd.expect_log("PH0462");
}

TEST(HookFailure, OfAWorkerThatDoesNotRunIsTakenToAnother) {
  HookedHttpd httpd(site("processes=2 threads=1"), with_page());
  EXPECT_EQ(get(httpd, "/x").body, "the page");
  const auto workers = httpd.running("pyhost-worker");
  ASSERT_EQ(workers.size(), 2u);
  stop_process(workers.front());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(get(httpd, "/x").body, "the page");
  ::kill(workers.front(), SIGCONT);
  httpd.tolerate_log("PH0424");
  httpd.tolerate_log("PH0407");
}

TEST(HookFailure, ThereIsNoneWithOneThreadForHooksAndApplication) {
  const HookedHttpd httpd(
      "WSGIDaemonProcess hooks processes=1 threads=1\n"
      "WSGIDispatchScript ${APPS}/hooks.py process-group=hooks\n"
      "WSGIScriptAlias /x ${APPS}/echo.wsgi process-group=hooks\n"
      "<Location /x>\n"
      "WSGIAccessScript ${APPS}/hooks.py process-group=hooks\n"
      "WSGICheckAuthn ${APPS}/hooks.py process-group=hooks\n"
      "WSGIAuthGroupScript ${APPS}/hooks.py process-group=hooks\n"
      "Require wsgi-group staff\n"
      "</Location>\n"
      "WSGIRestrictEmbedded On\n");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(httpd.get("/x?authn=name").status, 200);
  for (const pid_t child : httpd.children()) {
    std::ifstream maps("/proc/" + std::to_string(child) + "/maps");
    const std::string text(std::istreambuf_iterator<char>(maps), {});
    EXPECT_EQ(text.find("pyhost-cpython"), text.npos);
  }
}

TEST(HookFailure, OfNewCodeThatDeniesIsSeenAtOnce) {
  Options options = with_page();
  options.files.emplace_back("gate.py", "def allow_access(environ, host):\n    return True\n");
  const HookedHttpd httpd(
      "WSGIDaemonProcess hooks processes=2\n"
      "Alias /x ${ROOT}/htdocs/page.txt\n"
      "<Location /x>\nWSGIAccessScript ${ROOT}/gate.py process-group=hooks\n</Location>\n",
      options);
  EXPECT_EQ(httpd.get("/x").body, "the page");
  httpd.write_file("gate.py", "def allow_access(environ, host):\n    return not environ\n");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(httpd.get("/x").status, 403);
}

}  // namespace
}  // namespace pyhost::test
