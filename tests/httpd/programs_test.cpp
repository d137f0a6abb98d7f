// The programs and processes that applications start.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "harness/httpd.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

constexpr char kNothingBlocked[] = "0000000000000000";

TEST(Programs, BeginWithoutBlockedSignals) {
  const TempDir folder;
  const std::string place = folder.make_writable("signals");
  Httpd httpd(
      "WSGIDaemonProcess workers threads=2\n"
      "WSGIScriptAlias /sub ${APPS}/signals.wsgi application-group=sub\n"
      "WSGIScriptAlias /main ${APPS}/signals.wsgi application-group=%{GLOBAL}\n"
      "WSGIScriptAlias /worker/sub ${APPS}/signals.wsgi process-group=workers "
      "application-group=sub\n"
      "WSGIScriptAlias /worker/main ${APPS}/signals.wsgi process-group=workers "
      "application-group=%{GLOBAL}\n",
      {.processes = 1, .environment = {{"PLACE", place}}});
  for (const std::string target : {"/sub", "/main", "/worker/sub", "/worker/main"}) {
    for (const char* way : {"/subprocess", "/session", "/popen", "/thread", "/system", "/spawn"}) {
      EXPECT_THAT(httpd.get(target + way).body, HasSubstr(kNothingBlocked)) << target << way;
    }
    EXPECT_EQ(httpd.get(target + "/terminated").body, "-15") << target;
  }
  httpd.stop();
  for (const char* interpreter : {"-sub", "-", "workers-sub", "workers-"}) {
    // Of each process; prefork may have more than one.
    EXPECT_THAT(read_file(place + "/" + interpreter),
                MatchesRegex(fmt::format("(callback {0} atexit {0} )+", kNothingBlocked)))
        << interpreter;
  }
}

// In each of these, what has not ended when httpd has is an error as well.

TEST(Pools, OfForkedProcessesWorkWhereNoSubinterpreterLives) {
  const Httpd httpd(
      "WSGIDaemonProcess workers\n"
      "WSGIScriptAlias /here ${APPS}/pools.wsgi application-group=%{GLOBAL}\n"
      "WSGIScriptAlias /worker ${APPS}/pools.wsgi process-group=workers\n",
      {.processes = 1});
  for (const std::string target : {"/here", "/worker"}) {
    EXPECT_EQ(httpd.get(target + "/pool/own/fork").body, "[1, 4]") << target;
    EXPECT_EQ(httpd.get(target + "/futures/own/fork").body, "[1, 4]") << target;
  }
}

// A function of the script is one of a module that these do not know by themselves.
TEST(Pools, OfProgramsWorkInEachInterpreter) {
  const Httpd httpd(
      "WSGIDaemonProcess workers\n"
      "WSGIScriptAlias /sub ${APPS}/pools.wsgi application-group=sub\n"
      "WSGIScriptAlias /main ${APPS}/pools.wsgi application-group=%{GLOBAL}\n"
      "WSGIScriptAlias /worker/sub ${APPS}/pools.wsgi process-group=workers "
      "application-group=sub\n"
      "WSGIScriptAlias /worker/main ${APPS}/pools.wsgi process-group=workers "
      "application-group=%{GLOBAL}\n",
      {.processes = 1});
  for (const std::string target : {"/sub", "/main", "/worker/sub", "/worker/main"}) {
    for (const std::string method : {"spawn", "forkserver"}) {
      EXPECT_EQ(httpd.get(target + "/pool/library/" + method).body, "[-1, -2]") << target << method;
      EXPECT_EQ(httpd.get(target + "/pool/own/" + method).body, "[1, 4]") << target << method;
      EXPECT_EQ(httpd.get(target + "/futures/own/" + method).body, "[1, 4]") << target << method;
    }
  }
}

TEST(Pools, OfProgramsSayWhyTheyCannotImportAScript) {
  const Httpd httpd(
      "<VirtualHost *>\nErrorLog ${ROOT}/own.log\n"
      "WSGIDaemonProcess workers\n"
      "WSGIScriptAlias / ${ROOT}/apps/attached.wsgi process-group=workers\n"
      "</VirtualHost>\n",
      {.processes = 1, .files = {{"apps/attached.wsgi", R"(
import mod_wsgi, multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
def own(): pass
def application(environ, start_response):
    start_response('200 OK', [])
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context('spawn')) as executor:
        try: executor.submit(own).result()
        except BrokenProcessPool as error: return [type(error).__name__.encode()]
)"}}});
  EXPECT_EQ(httpd.get("/").body, "BrokenProcessPool");
  EXPECT_THAT(read_file(httpd.root() + "/own.log"),
              HasSubstr("attached.wsgi cannot be imported by a process of multiprocessing"));
}

}  // namespace
}  // namespace pyhost::test
