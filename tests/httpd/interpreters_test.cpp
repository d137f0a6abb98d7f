// Several interpreters in a process, and what could stop or end all of them.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "harness/httpd.h"
#include "httpd/versions.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;

TEST(Interpreters, DoNotKeepEachOtherFromAnswering) {
  if (default_mpm() == Mpm::prefork) GTEST_SKIP() << "one request at a time in each child";
  const Httpd httpd(
      "WSGIScriptAlias /spin ${APPS}/spin.wsgi application-group=spinner\n"
      "WSGIScriptAlias /echo ${APPS}/echo.wsgi application-group=other\n"
      "WSGIScriptAlias /main ${APPS}/echo.wsgi application-group=%{GLOBAL}\n",
      {.processes = 1});
  const std::string flags = httpd.make_writable("state") + "/flags";
  std::ofstream(flags) << "00";
  std::filesystem::permissions(flags, std::filesystem::perms::all);

  Response spun;
  std::jthread spinner([&] { spun = httpd.get("/spin?" + flags); });
  EXPECT_TRUE(wait_until([&] { return read_file(flags) == "01"; }));
  EXPECT_EQ(httpd.get("/echo/first?a").body, "other /first a ");
  EXPECT_EQ(httpd.get("/main/second?b").body, " /second b ");
  EXPECT_EQ(httpd.get("/echo/third?c").body, "other /third c ");
  std::fstream(flags, std::ios::in | std::ios::out) << "1";
  spinner.join();
  EXPECT_EQ(spun.body, "released");
}

TEST(Interpreters, RefuseToForkAndLiveOn) {
  const Httpd httpd(
      "WSGIScriptAlias /sub ${APPS}/forks.wsgi application-group=sub\n"
      "WSGIScriptAlias /main ${APPS}/forks.wsgi application-group=%{GLOBAL}\n",
      {.processes = 1});
  HttpClient client = httpd.client();
  const Response before = client.get("/sub/none");
  EXPECT_EQ(before.body, "no error");
  const std::string cure = "WSGIApplicationGroup %{GLOBAL}";
  const std::pair<const char*, std::string> refusals[] = {
      {"/sub/os", cure},
      {"/sub/multiprocessing", cure},
      {"/sub/pty", "fork not supported for subinterpreters"},  // CPython's own words
      {"/main/os", cure},
      {"/main/pty", cure},
      {"/main/multiprocessing", cure},
  };
  for (const auto& [path, sentence] : refusals) {
    const Response reply = client.get(path);
    EXPECT_THAT(reply.body, HasSubstr(sentence)) << path;
    EXPECT_EQ(reply.header("x-pid"), before.header("x-pid"));
  }
  EXPECT_EQ(client.get("/sub/none").header("x-pid"), before.header("x-pid"));
}

TEST(Interpreters, BeginWithTheEnvironmentOfTheProcessNotOfEachOther) {
  const std::string settings = R"(
import os
os.environ.setdefault('SETTINGS_MODULE', __file__)
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [os.path.basename(os.environ['SETTINGS_MODULE']).encode()]
)";
  const Httpd httpd(
      "WSGIScriptAlias /a ${ROOT}/apps/a.wsgi application-group=a\n"
      "WSGIScriptAlias /b ${ROOT}/apps/b.wsgi application-group=b\n"
      "WSGIScriptAlias /c ${ROOT}/apps/c.wsgi application-group=%{GLOBAL}\n",
      {.processes = 1,
       .files = {{"apps/a.wsgi", settings}, {"apps/b.wsgi", settings}, {"apps/c.wsgi", settings}}});
  HttpClient client = httpd.client();
  for (const std::string name : {"a", "b", "c", "a"}) {
    EXPECT_EQ(client.get("/" + name).body, name + ".wsgi");
  }
}

// CPython's _decimal keeps its context in a variable that all interpreters have together.
TEST(Interpreters, KeepTheirContextVariablesApart) {
  const Httpd httpd(
      "MaxKeepAliveRequests 0\n"
      "WSGIScriptAlias /one ${APPS}/thirds.wsgi application-group=one\n"
      "WSGIScriptAlias /two ${APPS}/thirds.wsgi application-group=two\n"
      "WSGIScriptAlias /main ${APPS}/thirds.wsgi application-group=%{GLOBAL}\n",
      {.processes = 2, .threads = 15});
  const auto third = [](int digits) { return "0." + std::string(std::size_t(digits), '3'); };
  // A client asks for the usual digits, and now and then for others.
  const auto ask = [&](int number) {
    HttpClient client = httpd.client();
    for (int i = 0; i < 300; ++i) {
      const char* const path = std::array{"/one", "/two", "/main"}[(i + number) % 3];
      const int digits = i % 5 == 0 ? 3 + number : 28;
      const Response reply = client.get(fmt::format("{}?{}", path, digits));
      const std::string expected =
          fmt::format("28 {0} {1} {2}", third(digits), third(std::min(digits, 28)), third(28));
      if (reply.body != expected) return ADD_FAILURE() << path << ": " << reply;
    }
  };
  std::vector<std::jthread> clients;
  for (int i = 0; i < 10; ++i) clients.emplace_back(ask, i);
}

TEST(Interpreters, BeyondTheirLimitAreRefusedForNow) {
  Httpd httpd(
      "WSGIInterpreterLimit 1\n"
      "WSGIScriptAlias /one ${APPS}/echo.wsgi application-group=one\n"
      "WSGIScriptAlias /two ${APPS}/echo.wsgi application-group=two\n",
      {.processes = 1});
  httpd.expect_log("PH0305");
  HttpClient client = httpd.client();
  EXPECT_EQ(client.get("/one").status, 200);
  const Response refused = client.get("/two");
  EXPECT_EQ(refused.status, 503);
  if (default_place() == Place::embedded) {
    EXPECT_EQ(refused.header("retry-after"), "1");
  }
  EXPECT_EQ(client.get("/one").status, 200);
}

TEST(Release, IsNoticedAlthoughItsScriptHasTheTimeOfTheOneBefore) {
  namespace fs = std::filesystem;
  const Httpd httpd(
      "WSGIScriptAlias / ${ROOT}/apps/current/site.wsgi\n",
      {.processes = 1,
       .files = {{"apps/1/site.wsgi", version(1)}, {"apps/2/site.wsgi", version(2)}}});
  const auto switch_to = [&](const std::string& release) {
    fs::create_symlink(release, httpd.app("next"));
    fs::rename(httpd.app("next"), httpd.app("current"));
  };
  fs::last_write_time(httpd.app("2/site.wsgi"), fs::last_write_time(httpd.app("1/site.wsgi")));
  for (const std::string release : {"1", "2", "1"}) {
    switch_to(release);
    EXPECT_EQ(httpd.get("/").body, release);
    EXPECT_EQ(httpd.get("/").body, release);
  }
}

TEST(EndlessRecursion, IsAnExceptionEvenWithASmallThreadStackSize) {
  const bool http2 = default_mpm() != Mpm::prefork;
  const Httpd httpd(
      "ThreadStackSize 262144\n"
      "WSGIScriptAlias /sub ${APPS}/recursion.wsgi application-group=sub\n"
      "WSGIScriptAlias /main ${APPS}/recursion.wsgi application-group=%{GLOBAL}\n",
      {.processes = 1, .http2 = http2});
  HttpClient client = httpd.client();
  for (const std::string group : {"/sub", "/main"}) {
    for (const std::string way :
         {"/plain", "/sorted", "/map", "/reduce", "/sub", "/getattr", "/repr", "/nested-repr",
          "/json", "/json-loads", "/pickle", "/deepcopy", "/compare"}) {
      EXPECT_EQ(client.get(group + way).body, "RecursionError") << group << way;
    }
  }
  if (http2) {
    EXPECT_EQ(httpd.request({.path = "/sub/repr", .protocol = Protocol::h2c}).body,
              "RecursionError");
  }
}

}  // namespace
}  // namespace pyhost::test
