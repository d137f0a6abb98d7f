// Which worker, and which interpreter of it, a request gets.

#include <gmock/gmock.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <filesystem>

#include "harness/httpd.h"
#include "httpd/portrait.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;

constexpr char kTwoGroups[] = "WSGIDaemonProcess one\nWSGIDaemonProcess two\n";

std::string place_of(const Httpd& httpd, const std::string& path) {
  const Json seen = portrait_of(httpd, path)["wsgi"];
  return seen["mod_wsgi.process_group"].get<std::string>() + ":" +
         seen["mod_wsgi.application_group"].get<std::string>();
}

// A request that is refused for a reason that only the log has.
void expect_refused(Httpd& httpd, const Request& request, int status, const std::string& id) {
  EXPECT_EQ(httpd.request(request).status, status) << request.path;
  httpd.wait_for_log(id);
  httpd.expect_log(id);
}

// --- The interpreter ---

TEST(ApplicationGroup, OfTheOnlyApplicationIsTheMainInterpreter) {
  const Httpd httpd(
      "WSGIDaemonProcess g\n"
      "WSGIScriptAlias /a ${APPS}/process.wsgi process-group=g\n"
      "WSGIScriptAlias /b ${APPS}/process.wsgi process-group=g\n");
  EXPECT_EQ(place_of(httpd, "/a"), "g:");
  EXPECT_EQ(place_of(httpd, "/b"), "g:");
  EXPECT_THAT(httpd.log(), HasSubstr("PH0358"));
  EXPECT_THAT(httpd.log(), HasSubstr("its one application " + httpd.app("process.wsgi") +
                                     " runs in the main interpreter"));
}

TEST(ApplicationGroup, OfAScriptBehindWhichAnAliasGoesOnIsTheMainInterpreter) {
  const Httpd httpd(
      "WSGIDaemonProcess g\n"
      "WSGIScriptAlias /a ${APPS}/process.wsgi/behind process-group=g\n"
      "WSGIScriptAlias /b ${APPS}/process.wsgi process-group=g\n");
  EXPECT_EQ(place_of(httpd, "/a"), "g:");
  EXPECT_EQ(place_of(httpd, "/b"), "g:");
  EXPECT_THAT(httpd.log(), HasSubstr("its one application " + httpd.app("process.wsgi") + " runs"));
}

TEST(ApplicationGroup, OfSeveralApplicationsIsASubinterpreterForEach) {
  const Httpd httpd(
      "WSGIDaemonProcess g\n"
      "WSGIScriptAlias /a ${APPS}/process.wsgi process-group=g\n"
      "WSGIScriptAlias /b ${APPS}/environ.wsgi process-group=g\n");
  EXPECT_EQ(place_of(httpd, "/a"), "g:localhost:" + std::to_string(httpd.port()) + "|/a");
  EXPECT_THAT(httpd.get("/b").body, HasSubstr("|/b\n"));
  EXPECT_THAT(httpd.log(), HasSubstr("run in sub-interpreters of their own"));
}

TEST(ApplicationGroup, OfTheOnlyApplicationIsNamedAsBeforeOnRequest) {
  const Httpd httpd(
      "WSGIDaemonProcess g\n"
      "WSGIApplicationGroup %{RESOURCE}\n"
      "WSGIScriptAlias /a ${APPS}/process.wsgi process-group=g\n");
  EXPECT_EQ(place_of(httpd, "/a"), "g:localhost:" + std::to_string(httpd.port()) + "|/a");
}

// --- The process group ---

TEST(ProcessGroup, ServesAScriptBehindWhichItsAliasGoesOn) {
  const Httpd httpd(
      "WSGIDaemonProcess g\n"
      "WSGIScriptAlias /sum ${APPS}/uploads.wsgi/ignore process-group=g\n");
  EXPECT_EQ(httpd.get("/sum").body, "not read");
}

TEST(ProcessGroup, ComesFromTheAliasBeforeTheSection) {
  const Httpd httpd(std::string(kTwoGroups) +
                    "WSGIApplicationGroup %{GLOBAL}\n"
                    "WSGIScriptAlias /a ${APPS}/process.wsgi\n"
                    "WSGIScriptAlias /b ${APPS}/process.wsgi process-group=one\n"
                    "WSGIScriptAlias /c ${APPS}/process.wsgi\n"
                    "WSGIScriptAlias /d ${APPS}/process.wsgi process-group=%{GLOBAL}\n"
                    "<Directory ${APPS}>\n  WSGIProcessGroup two\n</Directory>\n"
                    "<Location /c>\n  WSGIProcessGroup one\n</Location>\n");
  EXPECT_EQ(place_of(httpd, "/a"), "two:");
  EXPECT_EQ(place_of(httpd, "/b"), "one:");
  EXPECT_EQ(place_of(httpd, "/c"), "one:");
  EXPECT_EQ(place_of(httpd, "/d"), ":");
}

TEST(ProcessGroup, ComesFromAVariable) {
  Httpd httpd(std::string(kTwoGroups) +
              "WSGIApplicationGroup %{GLOBAL}\n"
              "SetEnvIf X-Group (.+) GROUP=$1\n"
              "WSGIScriptAlias / ${APPS}/process.wsgi process-group=%{ENV:GROUP}\n");
  for (const std::string group : {"one", "two"}) {
    const Response reply = httpd.request({.headers = {{"X-Group", group}}});
    EXPECT_THAT(reply.body, HasSubstr("\"mod_wsgi.process_group\": \"" + group + '"'));
  }
  expect_refused(httpd, {.headers = {{"X-Group", "three"}}}, 500, "PH0151");
  expect_refused(httpd, {}, 500, "PH0541");
}

TEST(ProcessGroup, OfAVirtualHostIsForThatServerNameOnly) {
  Httpd httpd(
      "WSGIApplicationGroup %{GLOBAL}\n"
      "<VirtualHost *:*>\n"
      "  ServerName first.test\n"
      "  WSGIDaemonProcess own\n"
      "  WSGIScriptAlias / ${APPS}/process.wsgi process-group=own\n"
      "</VirtualHost>\n"
      "<VirtualHost *:*>\n"
      "  ServerName FIRST.test\n"
      "  ServerAlias again.test\n"
      "  WSGIScriptAlias /again ${APPS}/process.wsgi process-group=own\n"
      "</VirtualHost>\n"
      "<VirtualHost *:*>\n"
      "  ServerName second.test\n"
      "  SetEnvIf Host . GROUP=own\n"
      "  WSGIScriptAlias / ${APPS}/process.wsgi process-group=%{ENV:GROUP}\n"
      "</VirtualHost>\n");
  EXPECT_EQ(httpd.request({.headers = {{"Host", "first.test"}}}).status, 200);
  EXPECT_EQ(httpd.request({.path = "/again", .headers = {{"Host", "again.test"}}}).status, 200);
  expect_refused(httpd, {.headers = {{"Host", "second.test"}}}, 500, "PH0152");
}

TEST(ProcessGroup, MayBeRestricted) {
  Httpd httpd(std::string(kTwoGroups) +
              "WSGIApplicationGroup %{GLOBAL}\n"
              "WSGIRestrictProcess two\n"
              "WSGIScriptAlias /one ${APPS}/process.wsgi process-group=one\n"
              "WSGIScriptAlias /two ${APPS}/process.wsgi process-group=two\n"
              "WSGIScriptAlias /here ${APPS}/process.wsgi\n");
  EXPECT_EQ(place_of(httpd, "/two"), "two:");
  expect_refused(httpd, {.path = "/one"}, 500, "PH0149");
  expect_refused(httpd, {.path = "/here"}, 500, "PH0149");
  EXPECT_EQ(count(httpd.log(), "PH0149"), 2u);
}

TEST(ProcessGroup, WithoutThreadsTakesNoRequests) {
  Httpd httpd(
      "WSGIDaemonProcess service threads=0\n"
      "WSGIScriptAlias / ${APPS}/process.wsgi process-group=service\n");
  expect_refused(httpd, {}, 500, "PH0154");
}

TEST(ProcessGroup, MayInsistOnTheScriptsOwner) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  Httpd httpd(
      "WSGIDaemonProcess g script-user=daemon\n"
      "WSGIScriptAlias /a ${APPS}/process.wsgi process-group=g\n"
      "WSGIScriptAlias /b ${ROOT}/own/process.wsgi process-group=g\n"
      "<Directory ${ROOT}/own>\n  Require all granted\n</Directory>\n");
  const std::string script =
      httpd.write_file("own/process.wsgi", read_file(httpd.app("process.wsgi")));
  const passwd* owner = getpwnam("daemon");
  ASSERT_EQ(chown(script.c_str(), owner->pw_uid, owner->pw_gid), 0);
  expect_refused(httpd, {.path = "/a"}, 403, "PH0153");
  expect_refused(httpd, {.path = "/b"}, 403, "the folder " + httpd.root() + "/own/ is not owned");
  const std::string folder = httpd.root() + "/own";
  ASSERT_EQ(chown(folder.c_str(), owner->pw_uid, owner->pw_gid), 0);
  EXPECT_EQ(httpd.get("/b").status, 200);
  std::filesystem::permissions(folder, std::filesystem::perms::all);
  expect_refused(httpd, {.path = "/b"}, 403, "can be written to by everybody");
}

TEST(ProcessGroup, ImportsNoScriptOfAnotherOwner) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const TempDir folder;
  const std::string place = folder.make_writable("place");
  folder.write("other/early.wsgi", "open('" + place + "/early', 'w')\n");
  folder.write("other/first.wsgi", "open('" + place + "/first', 'w')\n");
  Httpd httpd(
      "WSGIDaemonProcess g script-user=daemon\n"
      "WSGIImportScript " +
      folder.path() +
      "/other/early.wsgi process-group=g "
      "application-group=%{GLOBAL}\n"
      "WSGIScriptAlias /first " +
      folder.path() +
      "/other/first.wsgi process-group=g "
      "application-group=%{GLOBAL}\n"
      "<Directory " +
      folder.path() + ">\n  Require all granted\n</Directory>\n");
  httpd.expect_log("PH0153");
  EXPECT_TRUE(wait_until([&] { return count(httpd.log(), "PH0153") == 2; }));
  expect_refused(httpd, {.path = "/first"}, 403, "first.wsgi is not owned by script-user=daemon");
  EXPECT_FALSE(std::filesystem::exists(place + "/early"));
  EXPECT_FALSE(std::filesystem::exists(place + "/first"));
}

// --- Preloaded scripts ---

// At its import; a signal to a worker is then the handler's. A child of httpd gets none.
constexpr char kTakesSignal[] = R"(
import os, signal, threading, time
at_import = threading.current_thread() is threading.main_thread()
taken = []
signal.signal(signal.SIGALRM, lambda *_: taken.append(threading.current_thread().name))
def application(environ, start_response):
    if environ['mod_wsgi.process_group']:
        os.kill(os.getpid(), signal.SIGALRM)
        while not taken:
            time.sleep(0.001)
    start_response('200 OK', [])
    return [f'{at_import} {taken}'.encode()]
)";

TEST(Preload, HappensBeforeTheFirstRequest) {
  const Httpd httpd(std::string(kTwoGroups) +
                    "WSGIImportScript ${APPS}/environ.wsgi process-group=one "
                    "application-group=early\n"
                    "WSGIScriptAlias / ${APPS}/process.wsgi process-group=two "
                    "application-group=sub\n");
  httpd.wait_for_log("imported script " + httpd.app("environ.wsgi"));
  httpd.wait_for_log("imported script " + httpd.app("process.wsgi"));
  const std::size_t imported = count(httpd.log(), "PH0308");
  EXPECT_EQ(imported, 2u);
  EXPECT_EQ(place_of(httpd, "/"), "two:sub");
  EXPECT_EQ(count(httpd.log(), "PH0308"), imported);
}

// --- The handler ---

// Some projects' configurations switch the restriction off for that.
TEST(Preload, MayTakeSignalsInTheMainInterpreter) {
  const Httpd httpd(
      "WSGIRestrictSignal Off\n"
      "WSGIDaemonProcess g\n"
      "WSGIScriptAlias /preloaded ${ROOT}/apps/one.wsgi process-group=g "
      "application-group=%{GLOBAL}\n"
      "WSGIScriptAlias /later ${ROOT}/apps/two.wsgi\n"
      "WSGIApplicationGroup %{GLOBAL}\n",
      {.files = {{"apps/one.wsgi", kTakesSignal}, {"apps/two.wsgi", kTakesSignal}}});
  EXPECT_EQ(httpd.get("/preloaded").body, "True ['MainThread']");
  EXPECT_EQ(httpd.get("/later").body, "True []");
}

TEST(Handler, RunsFilesOfTheDocumentRootInTheGroup) {
  Httpd httpd(
      "WSGIDaemonProcess g\n"
      "AddHandler wsgi-script .wsgi\n"
      "<Directory ${ROOT}/htdocs>\n  Options +ExecCGI\n  WSGIProcessGroup g\n</Directory>\n"
      "<Directory ${ROOT}/elsewhere>\n"
      "  Require all granted\n  Options +ExecCGI\n  WSGIProcessGroup g\n"
      "</Directory>\n"
      "<Directory ${ROOT}/shut>\n  Require all granted\n  WSGIProcessGroup g\n</Directory>\n"
      "Alias /elsewhere ${ROOT}/elsewhere\n"
      "Alias /shut ${ROOT}/shut\n"
      "# ${APPS}\n");
  const std::string text = read_file(httpd.app("process.wsgi"));
  for (const char* file : {"htdocs/a.wsgi", "elsewhere/deep/b.wsgi", "shut/c.wsgi"}) {
    httpd.write_file(file, text);
  }
  const std::string origin = "g:localhost:" + std::to_string(httpd.port());
  EXPECT_EQ(place_of(httpd, "/a.wsgi/info"), origin + "|/a.wsgi");
  EXPECT_EQ(place_of(httpd, "/elsewhere/deep/b.wsgi"), origin + "|/elsewhere/deep/b.wsgi");
  expect_refused(httpd, {.path = "/shut/c.wsgi"}, 403, "PH0134");
}

}  // namespace
}  // namespace pyhost::test
