// Scripts of a process group that cannot be imported, beside others that can.

#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "harness/command.h"
#include "harness/httpd.h"
#include "httpd/load.h"
#include "httpd/text.h"
#include "httpd/versions.h"

namespace pyhost::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr char kBroken[] = "def application(environ, start_response:\n";

// Three scripts in one process group.
class Site {
 public:
  explicit Site(int processes, std::string_view options = "")
      : httpd("WSGIDaemonProcess site threads=4 processes=" + std::to_string(processes) + " " +
                  std::string(options) +
                  "\n"
                  "WSGIScriptAlias /a ${ROOT}/a.wsgi process-group=site\n"
                  "WSGIScriptAlias /b ${ROOT}/b.wsgi process-group=site\n"
                  "WSGIScriptAlias /c ${ROOT}/c.wsgi process-group=site\n"
                  "<Location />\n  Require all granted\n</Location>\n",
              {.processes = 8,
               .files = {{"a.wsgi", version(1)}, {"b.wsgi", version(1)}, {"c.wsgi", version(1)}}}),
        processes_(static_cast<std::size_t>(processes)) {
    // Broken imports, requests that meet them, the workers that end because of them, and those that
    // are kept.
    for (const char* id : {"PH0105", "PH0109", "PH0406", "PH0411", "PH0423", "PH0457"}) {
      httpd.tolerate_log(id);
    }
  }

  void deploy(std::string_view script, std::string_view text) const {
    replace_file(httpd.root() + "/" + std::string(script) + ".wsgi", text);
  }
  std::string get(std::string_view script) const {
    return httpd.get("/" + std::string(script)).body;
  }
  void expect(std::string_view script, std::string_view body) const {
    for (int i = 0; i < 10; ++i) EXPECT_EQ(get(script), body) << script;
  }
  void await(std::string_view script, std::string_view body) const {
    EXPECT_TRUE(wait_until([&] { return get(script) == body; })) << script;
  }
  // Which is broken in a way that siblings have gone on from.
  void break_a_and_go_on() const {
    for (const char* script : {"a", "b", "c"}) import_everywhere(script);
    deploy("a", kBroken);
    expect("a", "1");
    httpd.wait_for_log("PH0411");
    deploy("b", version(2));
    EXPECT_EQ(get("b"), "2");
    httpd.wait_for_log("PH0423");
    await_one_mind();
    expect("a", "1");
  }
  // Until no worker is to be replaced any more.
  void await_one_mind() const {
    const std::size_t kept = processes_;
    EXPECT_TRUE(wait_until([&] {
      return httpd.running("pyhost-worker").size() == 2 * processes_ &&
             pids("keeper").size() == kept;
    })) << status();
  }

  // As the operators see it.
  json group() const {
    const CommandResult shown = run_command(
        {PYHOST_TEST_PROGRAM, "status", "site", "--json", "--server-root", httpd.root()});
    const json all = json::parse(shown.output, nullptr, false);
    return all.is_object() && all.contains("groups") ? all["groups"][0] : json::object();
  }
  std::string status() const {
    return run_command({PYHOST_TEST_PROGRAM, "status", "--server-root", httpd.root()}).output;
  }
  // Of the workers that are ready.
  std::vector<pid_t> pids(std::string_view role) const {
    std::vector<pid_t> all;
    for (const json& worker : group().value("workers", json::array())) {
      if (worker["role"] == role && worker["state"] == "ready") all.push_back(worker["pid"]);
    }
    return all;
  }

  // So that each worker has imported it.
  void import_everywhere(std::string_view script) const {
    EXPECT_TRUE(wait_until([&] { return count(httpd.log(), "PH0404") >= processes_; }));
    std::vector<std::jthread> clients;
    for (std::size_t i = 0; i < 2 * processes_; ++i) {
      clients.emplace_back([&] { httpd.get("/" + std::string(script) + "?0.5"); });
    }
  }
  void expect_workers(std::size_t number) const {
    EXPECT_TRUE(wait_until([&] { return httpd.running("pyhost-worker").size() == number; }))
        << httpd.running("pyhost-worker").size();
  }

  Httpd httpd;

 private:
  const std::size_t processes_;
};

class BrokenScriptIn : public ::testing::TestWithParam<int> {};

TEST_P(BrokenScriptIn, HoldsUpNoOtherOfItsGroup) {
  const auto processes = static_cast<std::size_t>(GetParam());
  Site site(GetParam());
  for (const char* script : {"a", "b", "c"}) site.import_everywhere(script);
  site.deploy("a", kBroken);
  site.expect("a", "1");
  site.httpd.wait_for_log("PH0411");
  site.expect_workers(processes);
  site.deploy("b", version(2));
  EXPECT_EQ(site.get("b"), "2");
  site.expect("a", "1");
  site.deploy("b", version(3));
  EXPECT_EQ(site.get("b"), "3");
  site.deploy("c", version(2));
  EXPECT_EQ(site.get("c"), "2");
  site.await("b", "3");
  site.expect("a", "1");
  site.deploy("a", version(2));
  EXPECT_EQ(site.get("a"), "2");
  for (const char* script : {"a", "c"}) site.await(script, "2");
  site.expect_workers(processes);
  site.expect("a", "2");
  site.expect("b", "3");
  site.httpd.expect_log("PH0423");
}

TEST_P(BrokenScriptIn, SurvivesRestartsAsItWas) {
  const auto processes = static_cast<std::size_t>(GetParam());
  Site site(GetParam());
  site.break_a_and_go_on();
  site.httpd.graceful();
  site.expect("a", "1");
  site.expect("b", "2");
  site.httpd.restart();
  site.expect("a", "1");
  site.deploy("c", version(2));
  EXPECT_EQ(site.get("c"), "2");
  site.expect("a", "1");
  site.deploy("a", version(2));
  EXPECT_EQ(site.get("a"), "2");
  site.expect_workers(processes);
  for (const char* script : {"a", "b", "c"}) site.expect(script, "2");
}

TEST_P(BrokenScriptIn, LosesNothingUnderLoad) {
  Site site(GetParam());
  for (const char* script : {"a", "b", "c"}) site.import_everywhere(script);
  {
    const Load a(site.httpd, 2, "/a"), b(site.httpd, 2, "/b");
    a.go_on(20);
    site.deploy("a", kBroken);
    a.go_on(20);
    site.httpd.wait_for_log("PH0411");
    for (int number = 2; number <= 4; ++number) {
      site.deploy("b", version(number));
      EXPECT_EQ(site.get("b"), std::to_string(number));
      a.go_on(20);
      b.go_on(20);
    }
    site.httpd.graceful(OldChildren::left);
    a.go_on(20);
    site.deploy("a", version(2));
    EXPECT_EQ(site.get("a"), "2");
    b.go_on(20);
  }
  site.expect_workers(static_cast<std::size_t>(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(A, BrokenScriptIn, ::testing::Values(1, 4),
                         [](const auto& test) { return "GroupOf" + std::to_string(test.param); });

TEST(BrokenScript, IsShownWithWhatIsServedAndWhy) {
  const Site site(1);
  site.break_a_and_go_on();
  const json group = site.group();
  EXPECT_EQ(group["state"], "degraded");
  std::map<std::string, json> scripts;
  for (const json& script : group["scripts"]) scripts[script["script"]] = script;
  const json& broken = scripts[site.httpd.root() + "/a.wsgi"];
  EXPECT_EQ(broken["state"], "kept") << group;
  EXPECT_THAT(broken["reason"].get<std::string>(), HasSubstr("SyntaxError"));
  EXPECT_EQ(broken["slots"], json({0}));
  EXPECT_GT(broken["since_us"], 0);
  EXPECT_EQ(scripts[site.httpd.root() + "/b.wsgi"]["state"], "current") << group;
  EXPECT_THAT(site.status(), HasSubstr(": the version of before, for "));
  site.deploy("a", version(2));
  EXPECT_EQ(site.get("a"), "2");
  site.expect_workers(1);
  EXPECT_EQ(site.group()["state"], "serving") << site.group();
}

TEST(BrokenScript, OutlivesAllWorkersButTheOneThatIsKept) {
  Site site(1);
  site.httpd.expect_log("PH0407");
  site.break_a_and_go_on();
  ASSERT_EQ(::kill(site.pids("worker").at(0), SIGKILL), 0);
  site.expect("a", "1");
  site.expect("b", "2");
  ASSERT_EQ(::kill(site.pids("keeper").at(0), SIGKILL), 0);
  EXPECT_TRUE(wait_until([&] { return site.httpd.get("/a").status == 500; }));
  site.expect("b", "2");
  site.deploy("a", version(2));
  EXPECT_EQ(site.get("a"), "2");
  site.expect("b", "2");
  site.expect_workers(1);
}

TEST(BrokenScript, IsNothingThatAKilledSupervisorLeavesBehind) {
  Site site(1);
  for (const char* id : {"PH0357", "PH0450", "PH0454"}) site.httpd.tolerate_log(id);
  site.break_a_and_go_on();
  ASSERT_EQ(::kill(site.httpd.running("pyhost-supervisor").at(0), SIGKILL), 0);
  site.await("b", "2");
  EXPECT_TRUE(wait_until([&] { return site.httpd.get("/a").status == 500; }));
  site.expect_workers(1);
  site.deploy("a", version(2));
  EXPECT_EQ(site.get("a"), "2");
  site.expect("b", "2");
  site.expect_workers(1);
}

// One that breaks while another one is broken already, with a change of others in between.
TEST(BrokenScript, MayHaveAnotherBesideIt) {
  Site site(1);
  site.break_a_and_go_on();
  site.deploy("b", kBroken);
  site.expect("b", "2");
  site.deploy("c", version(2));
  EXPECT_EQ(site.get("c"), "2");
  site.expect("a", "1");
  site.expect("b", "2");
  site.expect_workers(3);
  site.deploy("b", version(3));
  EXPECT_EQ(site.get("b"), "3");
  site.expect("a", "1");
  site.expect_workers(2);
  site.deploy("a", version(3));
  EXPECT_EQ(site.get("a"), "3");
  site.expect("c", "2");
  site.expect_workers(1);
}

// Although not each of its workers has imported the script before.
TEST(BrokenScript, IsSeenAlikeByAllWorkersOfItsGroup) {
  Site site(5);
  site.httpd.tolerate_log("PH0410");
  EXPECT_TRUE(wait_until([&] { return count(site.httpd.log(), "PH0404") >= 5; }));
  EXPECT_EQ(site.get("a"), "1");
  EXPECT_EQ(site.get("a"), "1");
  site.deploy("a", kBroken);
  const auto expect_old = [&] {
    std::vector<std::jthread> clients;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back([&] {
        for (int j = 0; j < 10; ++j) EXPECT_EQ(site.httpd.get("/a?0.02").body, "1");
      });
    }
  };
  expect_old();
  site.httpd.graceful();
  expect_old();
  site.expect("b", "1");
  site.deploy("a", version(2));
  EXPECT_EQ(site.get("a"), "2");
  site.expect("a", "2");
}

TEST(BrokenScript, FromTheStartLeavesTheOthersInGoodService) {
  Site site(2);
  site.deploy("a", kBroken);
  {
    const Load others(site.httpd, 4, "/b");
    others.go_on(20);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(site.httpd.get("/a").status, 500);
    others.go_on(20);
    site.deploy("a", version(2));
    EXPECT_EQ(site.get("a"), "2");
    others.go_on(20);
  }
  site.expect("a", "2");
}

// What the first import has done to its process stays done.
TEST(PassingFailure, IsHealedByANewWorker) {
  Site site(2);
  const std::string away = site.httpd.write_file("away", "");
  site.deploy("a",
              "import os, sys\n"
              "assert not hasattr(sys, 'populated'), 'this is not reentrant'\n"
              "sys.populated = True\n"
              "if os.path.exists('" +
                  away +
                  "'):\n"
                  "    raise RuntimeError('the database is away')\n" +
                  version(1));
  EXPECT_EQ(site.httpd.get("/a").status, 500);
  std::filesystem::remove(away);
  {
    const Load others(site.httpd, 2, "/b");
    site.await("a", "1");
    others.go_on(20);
  }
  site.await("a", "1");
  EXPECT_TRUE(wait_until([&] { return site.group()["state"] == "serving"; })) << site.group();
  site.expect_workers(2);
  site.expect("a", "1");
  EXPECT_THAT(site.httpd.log(), ::testing::Not(HasSubstr("this is not reentrant")));
  site.httpd.expect_log("the database is away");
}

}  // namespace
}  // namespace pyhost::test
