// Python's life in httpd's children.

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "harness/httpd.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kApp[] = "WSGIScriptAlias /app ${APPS}/replies.wsgi\n";

TEST(EmbeddedEngine, StartsWithTheFirstRequest) {
  const Httpd httpd(kApp);
  EXPECT_EQ(httpd.get("/nothing").status, 404);
  EXPECT_THAT(httpd.log(), Not(HasSubstr("PH0309")));
  EXPECT_EQ(httpd.get("/app").status, 200);
  EXPECT_THAT(httpd.log(), HasSubstr("PH0309"));
}

TEST(EmbeddedEngine, StartsOnceForManyFirstRequests) {
  if (default_mpm() == Mpm::prefork) GTEST_SKIP() << "one request at a time in each child";
  // Some are left over, or httpd would warn that all are busy.
  const Httpd httpd(kApp, {.processes = 1, .threads = 24});
  std::atomic<int> answered = 0;
  std::vector<std::jthread> clients;
  for (int i = 0; i < 16; ++i) {
    clients.emplace_back([&] { answered += httpd.get("/app").status == 200 ? 1 : 0; });
  }
  clients.clear();
  EXPECT_EQ(answered, 16);
  EXPECT_EQ(count(httpd.log(), "created the main interpreter"), 1u);
  EXPECT_EQ(count(httpd.log(), "imported script"), 1u);
}

TEST(EmbeddedEngine, IsMadeAnewByARestart) {
  Httpd httpd(kApp);
  EXPECT_EQ(httpd.get("/app").body, "body");
  httpd.graceful();
  EXPECT_EQ(httpd.get("/app").body, "body");
  httpd.restart();
  EXPECT_EQ(httpd.get("/app").body, "body");
}

TEST(EmbeddedEngine, EndsWithTheChild) {
  Httpd httpd(
      "WSGIScriptAlias /app ${ROOT}/farewell.wsgi\n"
      "<Directory ${ROOT}>\nRequire all granted\n</Directory>",
      {.processes = 1,
       .files = {{"farewell.wsgi",
                  "import atexit\n"
                  "atexit.register(lambda: print('farewell'))\n"
                  "def application(environ, start_response):\n"
                  "    start_response('200 OK', [])\n"
                  "    return []\n"}}});
  EXPECT_EQ(httpd.get("/app").status, 200);
  httpd.expect_log("farewell");
  httpd.stop();
}

TEST(EmbeddedEngine, IsNotStartedInTheParent) {
  const Httpd httpd(kApp);
  EXPECT_EQ(httpd.get("/app").status, 200);
  std::ifstream maps("/proc/" + std::to_string(httpd.pid()) + "/maps");
  const std::string text(std::istreambuf_iterator<char>(maps), {});
  EXPECT_THAT(text, HasSubstr("mod_pyhost.so"));
  EXPECT_THAT(text, Not(HasSubstr("python")));
}

TEST(EmbeddedEngine, StartsWhenWhatWasMissingIsThere) {
  namespace fs = std::filesystem;
  const TempDir folder;
  const std::string home = folder.path() + "/venv";
  folder.write("venv/pyvenv.cfg", "home = /usr/bin\n");
  folder.write("venv/bin/python", "");
  Httpd httpd("WSGIPythonHome " + home + "\n" + kApp, {.processes = 1});
  fs::rename(home, home + ".away");
  httpd.expect_log("PH0001");
  EXPECT_EQ(httpd.get("/app").status, 500);
  httpd.wait_for_log("tried again after 1 s");
  fs::rename(home + ".away", home);
  EXPECT_TRUE(wait_until([&] { return httpd.get("/app").status == 200; }));
}

TEST(EmbeddedEngine, SaysWhereItsPluginWasLookedFor) {
  std::ifstream module(TEST_MODULE, std::ios::binary);
  Httpd httpd(
      "LoadModule wsgi_module ${ROOT}/lib/mod_pyhost.so\n"
      "WSGIScriptAlias /app ${APPS}/replies.wsgi",
      {.files = {{"lib/mod_pyhost.so", std::string(std::istreambuf_iterator<char>(module), {})}},
       .wsgi_module = WsgiModule::absent});
  httpd.expect_log("PH0350");
  const std::string sentence =
      "PH0350: there is no engine plugin pyhost-cpython-X.Y.so in " + httpd.root() + "/lib";
  EXPECT_EQ(count(httpd.log(), sentence), 1u);
  EXPECT_EQ(httpd.get("/app").status, 500);
  EXPECT_EQ(count(httpd.log(), sentence), 2u);
}

}  // namespace
}  // namespace pyhost::test
