// pyhost status, reload, stop and start for a running httpd.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/command.h"
#include "harness/httpd.h"
#include "httpd/load.h"
#include "httpd/text.h"
#include "httpd/versions.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// A request that has begun ends when the test lets it.
constexpr char kHeld[] =
    "import os, time\n"
    "def application(environ, start_response):\n"
    "    gate = environ['QUERY_STRING']\n"
    "    if gate:\n"
    "        open(gate + '.begun', 'w').close()\n"
    "        while not os.path.exists(gate):\n"
    "            time.sleep(0.01)\n"
    "    start_response('200 OK', [])\n"
    "    return [b'1']\n";

constexpr char kBroken[] = "raise ValueError('not today')\n";

// A site in a process group of its own, and its operator.
class Site {
 public:
  explicit Site(std::string_view options = "")
      : httpd("WSGIDaemonProcess site threads=4 " + std::string(options) +
                  "\n"
                  "WSGIScriptAlias / ${ROOT}/site.wsgi process-group=site\n"
                  "<Location />\n  Require all granted\n</Location>\n"
                  "IncludeOptional ${ROOT}/more.conf\n",
              {.processes = 8, .files = {{"site.wsgi", version(1)}}}) {}

  void deploy(std::string_view text) const { replace_file(httpd.root() + "/site.wsgi", text); }

  // Runs pyhost as the user that runs the test.
  CommandResult operate(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), PYHOST_TEST_PROGRAM);
    arguments.insert(arguments.end(), {"--server-root", httpd.root()});
    return run_command(arguments);
  }
  json group() const {
    const CommandResult shown = operate({"status", "site", "--json"});
    const json all = json::parse(shown.output, nullptr, false);
    return all.is_object() ? all["groups"][0] : json();
  }

  Httpd httpd;
};

// What nobody has been able to import is not served, whatever workers there are.
TEST(Status, SaysThatNothingCanBeImported) {
  Site site;
  site.deploy(kBroken);
  for (const char* text : {"PH0109", "PH0303"}) site.httpd.tolerate_log(text);
  EXPECT_EQ(site.httpd.get("/").status, 500);
  EXPECT_TRUE(wait_until([&] { return site.group()["state"] == "failing"; })) << site.group();
  EXPECT_THAT(site.group()["reason"].get<std::string>(), HasSubstr("ValueError: not today"));
  const CommandResult status = site.operate({"status"});
  EXPECT_EQ(status.exit_code, 3);
  EXPECT_THAT(status.output, AllOf(HasSubstr("process group site: failing\n"),
                                   HasSubstr("ValueError: not today")));
  site.deploy(version(1));
  EXPECT_TRUE(wait_until([&] { return site.httpd.get("/").status == 200; }));
  EXPECT_TRUE(wait_until([&] { return site.group()["state"] == "serving"; })) << site.group();
}

class Refused : public testing::TestWithParam<const char*> {};

TEST_P(Refused, ConfigurationIsShownUntilThereIsAnotherOne) {
  Site site;
  const auto restart_with = [&site](const std::string& more) {
    site.httpd.write_file("more.conf", more);
    kill(site.httpd.pid(), SIGUSR1);
  };
  const auto status = [&site] { return site.operate({"status"}).output; };
  const auto comes = [&status](const char* start) {
    return wait_until([&] { return status().starts_with(start); });
  };
  for (const char* text : {"PH0356"}) site.httpd.tolerate_log(text);
  EXPECT_THAT(status(), StartsWith("process group site: "));
  restart_with(std::string("WSGIDaemonProcess more ") + GetParam() + "\n");
  EXPECT_TRUE(comes("The configuration that httpd read")) << status();
  EXPECT_TRUE(wait_until([&] { return status().find("more.conf:1)") != std::string::npos; }));
  EXPECT_THAT(status(), AllOf(HasSubstr("was refused; what runs is that of before:\n  "
                                        "WSGIDaemonProcess more: "),
                              HasSubstr("\n\nprocess group site: ")));
  EXPECT_EQ(site.httpd.get("/").status, 200);
  restart_with("");
  EXPECT_TRUE(comes("process group site: ")) << status();
}

INSTANTIATE_TEST_SUITE_P(For, Refused,
                         testing::Values("home=/no/such/folder", "user=nobody-knows"));

// A request of a site whose script is kHeld.
class HeldRequest {
 public:
  explicit HeldRequest(const Site& site)
      : gate_(site.httpd.make_writable("gates") + "/gate"),
        client_([this, &site] { reply_ = site.httpd.get("/?" + gate_); }) {
    EXPECT_TRUE(wait_until([this] { return fs::exists(gate_ + ".begun"); }));
  }
  ~HeldRequest() { release(); }

  void release() { std::ofstream(gate_).flush(); }
  Response reply() {
    client_.join();
    return reply_;
  }

 private:
  const std::string gate_;
  Response reply_;
  std::jthread client_;
};

TEST(Status, IsWatchedUntilNobodyReadsIt) {
  const Site site;
  EXPECT_TRUE(wait_until([&] { return site.group()["state"] == "serving"; })) << site.group();
  const CommandResult watch = run_command(
      {"/bin/sh", "-c",
       std::string(PYHOST_TEST_PROGRAM) + " status --watch --interval 0.1 --server-root " +
           site.httpd.root() + " | grep -m2 -E 'requests,|requests/s'"});
  EXPECT_THAT(watch.output, AllOf(StartsWith("  0 requests, 0 errors, 0 rejected"),
                                  HasSubstr("\n  0.0 requests/s, 0.0 errors/s, ")));
}

TEST(Dump, ShowsTheStackOfEachThreadOfEachWorker) {
  const Site site("processes=2");
  site.deploy(kHeld);
  HeldRequest held(site);
  CommandResult dump;
  // It has told that it runs before it sleeps.
  EXPECT_TRUE(wait_until([&] {
    dump = site.operate({"dump", "site"});
    return dump.output.find(", in application\n      time.sleep(0.01)\n") != std::string::npos;
  }));
  EXPECT_TRUE(dump.ok()) << dump;
  EXPECT_THAT(dump.output,
              AllOf(HasSubstr("worker 0 of process group site, pid "),
                    HasSubstr("\nworker 1 of process group site, pid "),
                    HasSubstr(": GET /, running for "), HasSubstr("  in the main interpreter\n")));
  const json workers = json::parse(site.operate({"dump", "site", "--json"}).output)["work"];
  ASSERT_EQ(workers.size(), 2u);
  EXPECT_EQ(workers[1]["slot"], 1);
  EXPECT_EQ(workers[1]["problem"], nullptr);
  held.release();
  EXPECT_EQ(held.reply().body, "1");
  EXPECT_THAT(site.operate({"dump", "sit"}).output, HasSubstr("there is no process group 'sit'"));
}

// Whoever keeps the lock is named all the same, as far as that Python can be asked.
TEST(Dump, ComesAlthoughTheLockCannotBeHad) {
  const Site site;
  site.httpd.write_file("c_code.py",
                        "import ctypes\n"
                        "def keep_the_lock():\n"
                        "    ctypes.PyDLL(None).usleep(3000000)\n");
  site.deploy(
      "import os, sys\n"
      "sys.path.insert(0, os.path.dirname(__file__))\n"
      "import c_code\n"
      "def application(environ, start_response):\n"
      "    start_response('200 OK', [])\n"
      "    c_code.keep_the_lock()\n"
      "    return [b'1']\n");
  std::jthread request([&site] { EXPECT_EQ(site.httpd.get("/").body, "1"); });
  std::string dump;
  EXPECT_TRUE(wait_until([&] {
    dump = site.operate({"dump", "site"}).output;
    return dump.find("the lock of an interpreter could not be had within 500 ms") != dump.npos;
  })) << dump;
}

TEST(Control, ShowsWhatTheWorkersDo) {
  const Site site("processes=2");
  site.deploy(kHeld);
  EXPECT_EQ(site.httpd.get("/").body, "1");
  const auto sum = [&site](const char* number) {
    const json workers = site.group()["workers"];
    return workers[0][number].get<int>() + workers[1][number].get<int>();
  };
  {
    HeldRequest held(site);
    EXPECT_TRUE(wait_until([&] { return sum("busy_threads") == 1; }));
    held.release();
    EXPECT_EQ(held.reply().body, "1");
  }
  // A worker counts a request behind the end of its reply.
  EXPECT_TRUE(wait_until([&] { return sum("requests") == 2; }));
  EXPECT_EQ(site.group()["state"], "serving");
  const CommandResult table = site.operate({"status"});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_THAT(table.output, HasSubstr("process group site: serving\n  2 requests, 0 errors, "));
}

TEST(Control, ReloadsWithoutLosingARequest) {
  const Site site("processes=2");
  {
    const Load load(site.httpd, 4);
    load.go_on(20);
    for (unsigned generation = 2; generation <= 4; ++generation) {
      const CommandResult reload = site.operate({"reload", "site"});
      EXPECT_EQ(reload.exit_code, 0) << reload;
      EXPECT_EQ(reload.output, "process group 'site' is reloaded\n");
      for (const json& worker : site.group()["workers"]) {
        EXPECT_EQ(worker["generation"], generation);
      }
      load.go_on(20);
    }
  }
}

TEST(Control, StopsAndStartsAGroup) {
  Site site;
  EXPECT_EQ(site.httpd.get("/").body, "1");
  EXPECT_EQ(site.operate({"stop", "site"}).exit_code, 0);
  EXPECT_TRUE(site.httpd.running("pyhost-worker").empty());
  const Response refused = site.httpd.get("/");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(count(site.httpd.log(), "PH0462"), 1u);
  site.httpd.graceful();
  EXPECT_EQ(site.httpd.get("/").status, 503);
  EXPECT_EQ(site.group()["state"], "stopped");
  EXPECT_EQ(site.operate({"start", "site"}).exit_code, 0);
  EXPECT_EQ(site.httpd.get("/").body, "1");
  site.httpd.expect_log("PH0462");
}

TEST(Control, LetsRunningRequestsFinishBeforeAStop) {
  Site site;
  site.deploy(kHeld);
  EXPECT_EQ(site.httpd.get("/").body, "1");
  HeldRequest held(site);
  int stopped = -1;
  std::jthread operation([&] { stopped = site.operate({"stop", "site"}).exit_code; });
  site.httpd.wait_for_log("PH0471");
  held.release();
  EXPECT_EQ(held.reply().body, "1");
  operation.join();
  EXPECT_EQ(stopped, 0);
}

TEST(Control, SaysThatABrokenDeployIsNotServed) {
  Site site;
  EXPECT_EQ(site.httpd.get("/").body, "1");
  // From here on the supervisor knows what the workers have imported.
  site.deploy(version(2));
  EXPECT_EQ(site.httpd.get("/").body, "2");
  site.deploy(kBroken);
  const CommandResult reload = site.operate({"reload", "site"});
  EXPECT_EQ(reload.exit_code, 1);
  EXPECT_THAT(reload.output, HasSubstr("ValueError: not today"));
  EXPECT_THAT(reload.output, HasSubstr("the workers of before go on serving"));
  EXPECT_EQ(site.httpd.get("/").body, "2");
  const json degraded = site.group();
  EXPECT_EQ(degraded["state"], "degraded");
  EXPECT_THAT(degraded["reason"].get<std::string>(), HasSubstr("site.wsgi"));
  EXPECT_THAT(degraded["reason"].get<std::string>(), HasSubstr("ValueError: not today"));
  site.deploy(version(3));
  EXPECT_EQ(site.operate({"reload", "site"}).exit_code, 0);
  EXPECT_EQ(site.httpd.get("/").body, "3");
  EXPECT_EQ(site.group()["state"], "serving");
  EXPECT_EQ(site.group()["reason"], nullptr);
  for (const char* expected : {"PH0109", "PH0406", "PH0411"}) {
    site.httpd.expect_log(expected);
  }
}

TEST(Control, LeavesWorkersAloneInARestartWhenTheyAreToStay) {
  Site site("processes=2 reload=off");
  const auto pids = [&site] {
    const json workers = site.group()["workers"];
    return std::pair(workers[0]["pid"].get<int>(), workers[1]["pid"].get<int>());
  };
  EXPECT_EQ(site.httpd.get("/").body, "1");
  site.httpd.wait_for_log("worker 1 of process group 'site' (pid ");
  EXPECT_TRUE(wait_until([&] { return count(site.httpd.log(), "PH0404") == 2; }));
  const auto before = pids();
  {
    const Load load(site.httpd, 4);
    load.go_on(20);
    for (int i = 0; i < 2; ++i) site.httpd.graceful();
    load.go_on(20);
  }
  site.httpd.restart();
  EXPECT_EQ(site.httpd.get("/").body, "1");
  EXPECT_EQ(pids(), before);
  // Neither a new version nor an operator is held up.
  site.deploy(version(2));
  EXPECT_EQ(site.httpd.get("/").body, "2");
  EXPECT_EQ(site.operate({"reload", "site"}).exit_code, 0);
  EXPECT_NE(pids().first, before.first);
}

// As logrotate does it.
TEST(Control, LetsWorkersThatStayWriteToTheNewLog) {
  Site site("reload=off");
  site.deploy(
      "import os\n"
      "def application(environ, start_response):\n"
      "    os.write(1, b'to output\\n')\n"
      "    os.write(2, b'to error\\n')\n"
      "    start_response('200 OK', [])\n"
      "    return [b'written']\n");
  EXPECT_EQ(site.httpd.get("/").body, "written");
  EXPECT_THAT(site.httpd.log(), HasSubstr("to error"));
  const int pid = site.group()["workers"][0]["pid"].get<int>();
  const std::string log = site.httpd.root() + "/error.log";
  fs::rename(log, log + ".1");
  site.httpd.graceful();
  EXPECT_TRUE(wait_until([&] {
    EXPECT_EQ(site.httpd.get("/").body, "written");
    const std::string text = site.httpd.log();
    return text.find("to error") != text.npos && text.find("to output") != text.npos;
  }));
  EXPECT_EQ(site.group()["workers"][0]["pid"].get<int>(), pid);
  EXPECT_EQ(site.operate({"reload", "site"}).exit_code, 0);
  site.httpd.wait_for_log("PH0471: worker 0 of process group 'site' takes no more requests");
  site.httpd.expect_log("to output");
  site.httpd.expect_log("to error");
}

TEST(Control, IsForRootAndTheUserOfHttpdsParent) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can act as several users";
  const Site site;
  const CommandResult refused =
      run_as_server_user({PYHOST_TEST_PROGRAM, "stop", "site", "--server-root", site.httpd.root()});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("only open to root and the user that started httpd"));
  EXPECT_EQ(site.httpd.get("/").body, "1");
}

TEST(Control, SaysWhatIsWrongInOneSentence) {
  const Site site;
  const CommandResult unknown = site.operate({"reload", "sight"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_EQ(unknown.output, "pyhost: there is no process group 'sight'; there are: site\n");
  const CommandResult nobody =
      run_command({PYHOST_TEST_PROGRAM, "status", "--socket", site.httpd.root() + "/none"});
  EXPECT_EQ(nobody.exit_code, 4);
  EXPECT_THAT(nobody.output, StartsWith("pyhost: no supervisor listens at "));
  EXPECT_EQ(site.operate({"status", "sight"}).exit_code, 4);
}

}  // namespace
}  // namespace pyhost::test
