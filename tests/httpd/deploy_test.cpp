// New versions of an application in a process group, while it is in use.

#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>
#include <thread>

#include "harness/httpd.h"
#include "httpd/load.h"
#include "httpd/text.h"
#include "httpd/versions.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr char kBroken[] = "def application(environ, start_response:\n";

// A site in a process group of its own.
class Deployment {
 public:
  explicit Deployment(int processes, std::string_view options = "")
      : httpd("WSGIDaemonProcess site threads=4 processes=" + std::to_string(processes) + " " +
                  std::string(options) +
                  "\n"
                  "WSGIScriptAlias / ${ROOT}/site.wsgi process-group=site\n"
                  "<Location />\n  Require all granted\n</Location>\n",
              {.processes = 8, .files = {{"site.wsgi", version(1)}}}),
        script_(httpd.root() + "/site.wsgi") {}

  void deploy(std::string_view text) const { replace_file(script_, text); }
  void remove() const { fs::remove(script_); }
  void touch() const { fs::last_write_time(script_, fs::file_time_type::clock::now()); }

  // Waits until each slot has had a worker that was ready.
  void expect_ready(std::size_t number) const {
    EXPECT_TRUE(wait_until([&] { return count(httpd.log(), "PH0404") >= number; }));
  }

  // Waits until so many workers are left.
  void expect_workers(std::size_t number) const {
    EXPECT_TRUE(wait_until([&] { return httpd.running("pyhost-worker").size() == number; }))
        << httpd.running("pyhost-worker").size();
  }

  Httpd httpd;

 private:
  const std::string script_;
};

TEST(Deploy, IsServedByTheNextRequestAndLosesNone) {
  const Deployment site(2);
  {
    const Load load(site.httpd, 4);
    load.go_on(20);
    for (int number = 2; number <= 6; ++number) {
      site.deploy(version(number));
      EXPECT_EQ(site.httpd.get("/").body, std::to_string(number));
      load.go_on(20);
    }
  }
  site.expect_workers(2);
}

TEST(Deploy, ReplacesEachWorkerOnce) {
  constexpr int kWorkers = 3;
  const Deployment site(kWorkers);
  site.expect_ready(kWorkers);
  {
    const Load load(site.httpd, 6);
    load.go_on(20);
    site.deploy(version(2));
    EXPECT_EQ(site.httpd.get("/").body, "2");
    site.expect_ready(2 * kWorkers);
    load.go_on(100);
  }
  site.expect_workers(kWorkers);
  EXPECT_EQ(count(site.httpd.log(), "PH0404"), 2u * kWorkers);
}

TEST(Deploy, LetsRunningRequestsFinishOnOldCode) {
  const Deployment site(1);
  EXPECT_EQ(site.httpd.get("/").body, "1");
  Response slow;
  std::jthread client([&] { slow = site.httpd.get("/?1.5"); });
  EXPECT_EQ(site.httpd.get("/?0.5").body, "1");
  site.deploy(version(2));
  EXPECT_EQ(site.httpd.get("/").body, "2");
  client.join();
  EXPECT_EQ(slow.body, "1");
  site.expect_workers(1);
}

TEST(Deploy, ThatIsBrokenKeepsTheOldCode) {
  Deployment site(2);
  site.expect_ready(2);
  // Each worker has imported it. One may have got both requests, when the other's came late.
  EXPECT_TRUE(wait_until([&site] {
    std::jthread other([&site] { site.httpd.get("/?0.5"); });
    site.httpd.get("/?0.5");
    other.join();
    return count(site.httpd.log(), "PH0308") == 2;
  }));
  {
    const Load load(site.httpd, 4);
    load.go_on(20);
    site.deploy(kBroken);
    load.go_on(100);
    EXPECT_EQ(site.httpd.get("/").body, "1");
    site.httpd.wait_for_log("PH0411");
    load.go_on(100);
    EXPECT_EQ(count(site.httpd.log(), "PH0105"), 1u);
    site.deploy(version(2));
    EXPECT_EQ(site.httpd.get("/").body, "2");
    load.go_on(20);
  }
  site.expect_workers(2);
  for (const char* expected : {"PH0105", "PH0406", "PH0411"}) {
    site.httpd.expect_log(expected);
  }
}

TEST(Deploy, ThatIsBrokenTakesOverWithoutFallback) {
  Deployment site(1, "reload-fallback=Off");
  EXPECT_EQ(site.httpd.get("/").body, "1");
  site.deploy(kBroken);
  EXPECT_EQ(site.httpd.get("/").status, 500);
  site.deploy(version(2));
  EXPECT_EQ(site.httpd.get("/").body, "2");
  site.expect_workers(1);
  for (const char* expected : {"PH0105", "PH0303", "PH0457"}) {
    site.httpd.tolerate_log(expected);
  }
}

TEST(Deploy, HealsAGroupThatHasNeverHadGoodCode) {
  Deployment site(1);
  site.deploy(kBroken);
  EXPECT_EQ(site.httpd.get("/").status, 500);
  site.deploy(version(2));
  EXPECT_EQ(site.httpd.get("/").body, "2");
  EXPECT_EQ(count(site.httpd.log(), "PH0105"), 1u);
  site.httpd.expect_log("PH0105");
}

TEST(Deploy, HealsAGroupWhoseLastWorkerWithGoodCodeHasDied) {
  Deployment site(1);
  EXPECT_EQ(site.httpd.get("/").body, "1");
  site.deploy(kBroken);
  EXPECT_EQ(site.httpd.get("/").body, "1");
  site.httpd.wait_for_log("PH0411");
  kill(site.httpd.running("pyhost-worker").at(0), SIGKILL);
  EXPECT_TRUE(wait_until([&] { return site.httpd.get("/").status == 500; }));
  site.deploy(version(2));
  EXPECT_EQ(site.httpd.get("/").body, "2");
  site.expect_workers(1);
  for (const char* expected : {"PH0105", "PH0406", "PH0407", "PH0411"}) {
    site.httpd.expect_log(expected);
  }
  site.httpd.tolerate_log("PH0303");
  site.httpd.tolerate_log("PH0450");
}

TEST(Deploy, SurvivesThatTheScriptGoesAndComesBack) {
  Deployment site(1);
  EXPECT_EQ(site.httpd.get("/").body, "1");
  site.remove();
  EXPECT_EQ(site.httpd.get("/").status, 404);
  site.deploy(version(2));
  EXPECT_EQ(site.httpd.get("/").body, "2");
  site.expect_workers(1);
  site.httpd.expect_log("PH0135");
}

TEST(Deploy, FiftyTimesInARowLosesNoRequest) {
  const Deployment site(2);
  {
    const Load load(site.httpd, 4);
    for (int i = 0; i < 50; ++i) {
      site.touch();
      load.wait_for_reply(100ms);
    }
    site.deploy(version(2));
    EXPECT_EQ(site.httpd.get("/").body, "2");
    load.go_on(20);
  }
  site.expect_workers(2);
}

TEST(Deploy, IsNoticedByAScriptThatKnowsWhatItDependsOn) {
  const Deployment site(2);
  const std::string data = site.httpd.write_file("data", "1");
  site.deploy(
      "import os\n"
      "with open('" +
      data +
      "') as file:\n"
      "    text = file.read()\n"
      "def reload_required(path):\n"
      "    with open('" +
      data +
      "') as file:\n"
      "        return file.read() != text\n"
      "def application(environ, start_response):\n"
      "    start_response('200 OK', [])\n"
      "    return [text.encode()]\n");
  EXPECT_EQ(site.httpd.get("/").body, "1");
  {
    const Load load(site.httpd, 4);
    load.go_on(20);
    site.httpd.write_file("data", "2");
    EXPECT_TRUE(wait_until([&] { return site.httpd.get("/").body == "2"; }));
    load.go_on(20);
  }
  site.expect_workers(2);
}

TEST(Deploy, OfABrokenScriptIsNotTakenOverByARestart) {
  Deployment site(1);
  EXPECT_EQ(site.httpd.get("/").body, "1");
  site.deploy(version(2));
  EXPECT_EQ(site.httpd.get("/").body, "2");
  site.expect_workers(1);
  site.deploy(kBroken);
  site.httpd.graceful();
  EXPECT_EQ(site.httpd.get("/").body, "2");
  site.deploy(version(3));
  EXPECT_EQ(site.httpd.get("/").body, "3");
  site.expect_workers(1);
  for (const char* expected : {"PH0105", "PH0406", "PH0411"}) {
    site.httpd.expect_log(expected);
  }
}

}  // namespace
}  // namespace pyhost::test
