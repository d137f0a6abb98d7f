#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include "harness/process.h"
#include "pyhost/gateway/build_id.h"
#include "supervisor/supervisor_fixture.h"

namespace pyhost::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Supervisor = SupervisorFixture;

class PrivilegedSupervisor : public SupervisorFixture {
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
};

class OrdinarySupervisor : public SupervisorFixture {
  void SetUp() override {
    if (geteuid() == 0) GTEST_SKIP() << "needs an ordinary user";
  }
};

int oom_score_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/oom_score_adj", pid));
  int score = -2000;
  file >> score;
  return score;
}

TEST_F(Supervisor, StartsEveryWorkerOfEveryGroup) {
  want("one", {{"processes", "3"}});
  want("two");
  ASSERT_EQ(apply(), "");
  std::set<pid_t> pids;
  for (unsigned slot = 0; slot < 3; ++slot) pids.insert(worker_pid(0, slot));
  pids.insert(worker_pid(1));
  EXPECT_EQ(pids.size(), 4u);
  EXPECT_TRUE(logged("is ready", 4));
  EXPECT_EQ(children_of(link.pid).size(), 4u);
}

TEST_F(Supervisor, GivesAWorkerItsDescriptorsAndNoOthers) {
  const base::UniqueFd inheritable(open("/dev/null", O_RDONLY));
  want("one");
  ASSERT_EQ(apply(), "");
  const json seen = observe(0);
  // Behind the plan come the worker's own signal descriptor and the connection.
  EXPECT_EQ(seen["descriptors"], json({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(seen["stdin"], "/dev/null");
  EXPECT_EQ(seen["sighup_ignored"], false);
  EXPECT_EQ(seen["parent"], link.pid);
}

TEST_F(Supervisor, TellsAWorkerItsSettingsAndPlace) {
  want("one", {}, {{"a", "b"}}).index = 5;
  state.groups[0].options.processes = 2;
  ASSERT_EQ(apply(), "");
  const json seen = observe(5, 1);
  EXPECT_EQ(seen["settings"], json({{"a", "b"}}));
  EXPECT_EQ(seen["assignment"], json({{"slot", 1},
                                      {"row", scoreboard::row_of(1)},
                                      {"generation", 1},
                                      {"report", 0},
                                      {"plugin", ""},
                                      {"python_program", ""},
                                      {"python_home", ""},
                                      {"imports", json::array()},
                                      {"imports_required", false}}));
}

TEST_F(Supervisor, AppliesWhatNeedsNoPrivilege) {
  want("one", {{"umask", "027"},
               {"home", folder.path()},
               {"lang", "C.UTF-8"},
               {"env", "SHOP=open"},
               {"display-name", "%{GROUP}"},
               {"cpu-priority", "7"},
               {"oom-score-adjust", "900"},
               {"memory-limit", "512M"},
               {"virtual-memory-limit", "8G"},
               {"cpu-time-limit", "100"}});
  ASSERT_EQ(apply(), "");
  const json seen = observe(0);
  EXPECT_EQ(seen["umask"], 027);
  EXPECT_EQ(seen["folder"], folder.path());
  EXPECT_THAT(seen["environment"], AllOf(Contains("LANG=C.UTF-8"), Contains("SHOP=open")));
  EXPECT_EQ(seen["name"], "(wsgi:one)");
  EXPECT_EQ(seen["nice"], 7);
  EXPECT_EQ(seen["oom_score"], 900);
  EXPECT_EQ(seen["memory"], json({512u << 20, 512u << 20}));
  EXPECT_EQ(seen["address_space"], json({8ull << 30, 8ull << 30}));
  // The hard limit leaves the time that the budgets give an end.
  EXPECT_EQ(seen["cpu"], json({100, 121}));
}

TEST_F(PrivilegedSupervisor, RunsEachGroupAsItsUser) {
  want("one", {{"user", "nobody"}, {"group", "daemon"}, {"supplementary-groups", "bin,#4242"}});
  want("two");
  ASSERT_EQ(apply(), "");
  const json one = observe(0)["ids"];
  EXPECT_EQ(one["uids"], json({65534, 65534, 65534}));
  EXPECT_EQ(one["gids"], json({1, 1, 1}));
  EXPECT_EQ(one["groups"], json({1, 2, 4242}));
  EXPECT_EQ(one["regains_root"], false);
  const json two = observe(1)["ids"];
  EXPECT_EQ(two["uids"], json({33, 33, 33}));
  EXPECT_EQ(two["gids"], json({33, 33, 33}));
  EXPECT_EQ(two["groups"], json({33}));
}

TEST_F(PrivilegedSupervisor, GivesTheUserHomeAndWorkingDirectory) {
  want("one", {{"user", "daemon"}});  // whose home is /usr/sbin
  want("two", {{"user", "nobody"}});  // whose home does not exist
  ASSERT_EQ(apply(), "");
  const json one = observe(0);
  EXPECT_EQ(one["folder"], "/usr/sbin");
  EXPECT_THAT(one["environment"], Contains("HOME=/usr/sbin"));
  EXPECT_EQ(observe(1)["folder"], "/");
}

TEST_F(PrivilegedSupervisor, RaisesThePriority) {
  want("one", {{"cpu-priority", "-3"}});
  ASSERT_EQ(apply(), "");
  EXPECT_EQ(observe(0)["nice"], -3);
}

TEST_F(PrivilegedSupervisor, OpensTheSocketForHttpdsUserOrTheGivenOne) {
  want("one");
  want("two", {{"socket-user", "daemon"}});
  ASSERT_EQ(apply(), "");
  struct stat one {
  }, two{};
  ASSERT_EQ(stat((prefix() + ".0.0.sock").c_str(), &one), 0);
  ASSERT_EQ(stat((prefix() + ".1.0.sock").c_str(), &two), 0);
  EXPECT_EQ(one.st_uid, 33u);
  EXPECT_EQ(two.st_uid, 1u);
  EXPECT_EQ(one.st_mode & 0777, 0600u);
}

TEST_F(PrivilegedSupervisor, RefusesAJailWithoutTheWorker) {
  want("one", {{"chroot", folder.path()}});
  EXPECT_THAT(apply(), HasSubstr("WSGIDaemonProcess one: " PYHOST_TEST_WORKER
                                 " cannot be run below chroot="));
}

TEST_F(PrivilegedSupervisor, RunsWorkersInAJail) {
  namespace fs = std::filesystem;
  const fs::path jail = folder.path() + "/jail";
  const fs::path program = PYHOST_TEST_WORKER;
  fs::create_directories(jail / program.parent_path().relative_path());
  fs::create_directories(jail / "srv/app");
  fs::copy_file(program, jail / program.relative_path());
  want("one",
       {{"chroot", jail}, {"home", "/srv/app"}, {"user", "nobody"}, {"oom-score-adjust", "300"}});
  ASSERT_EQ(apply(), "");
  const json seen = observe(0);
  EXPECT_EQ(seen["folder"], "/srv/app");
  EXPECT_EQ(oom_score_of(seen["pid"]), 300);  // although the jail has no /proc
  EXPECT_THAT(seen["root"],
              testing::UnorderedElementsAre("srv", program.begin().operator++()->string()));
  EXPECT_EQ(seen["ids"]["uids"], json({65534, 65534, 65534}));
  EXPECT_EQ(seen["ids"]["regains_root"], false);
}

TEST_F(PrivilegedSupervisor, RefusesAHomeThatTheUserMayNotEnter) {
  const std::string home = folder.path() + "/closed";
  ASSERT_EQ(mkdir(home.c_str(), 0700), 0);
  want("one", {{"home", home}});
  EXPECT_EQ(apply(), "WSGIDaemonProcess one: home=" + home +
                         " cannot be entered by user id 33: Permission denied");
}

TEST_F(OrdinarySupervisor, RunsWorkersAsItselfWhateverUserIsWanted) {
  want("one");
  want("two", {{"user", "daemon"}});
  ASSERT_EQ(apply(), "");
  for (const unsigned group : {0, 1}) {
    EXPECT_EQ(observe(group)["ids"]["uids"], json({geteuid(), geteuid(), geteuid()}));
  }
}

TEST_F(OrdinarySupervisor, RefusesToRaiseALimit) {
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  const rlimit lowered{.rlim_cur = 4ull << 30, .rlim_max = 4ull << 30};
  prlimit(link.pid, RLIMIT_AS, &lowered, nullptr);
  want("one", {{"virtual-memory-limit", "8G"}});
  EXPECT_THAT(apply(), HasSubstr("WSGIDaemonProcess one: a resource limit could not be set: "));
}

TEST_F(Supervisor, NamesEveryGroupThatCannotStartAndStartsNone) {
  want("good");
  want("bad", {{"user", "nobody-here"}});
  want("worse", {{"home", "/no/such/folder"}});
  want("worst", {{"env-file", "/no/such/file"}});
  EXPECT_THAT(apply(), AllOf(HasSubstr("bad: there is no user nobody-here"),
                             HasSubstr("worse: home=/no/such/folder cannot be entered"),
                             HasSubstr("worst: env-file=/no/such/file"), Not(HasSubstr("good"))));
  EXPECT_THAT(children_of(link.pid), IsEmpty());
  EXPECT_FALSE(logged("PH0402", 1)) << "httpd logs what it is told";
}

TEST_F(Supervisor, GoesOnWithWhatRanWhenTheNextStateIsRefused) {
  want("one");
  ASSERT_EQ(apply(), "");
  const pid_t pid = worker_pid(0);
  want("bad", {{"user", "nobody-here"}});
  EXPECT_THAT(apply(), HasSubstr("nobody-here"));
  EXPECT_EQ(worker_pid(0), pid);
}

TEST_F(Supervisor, RefusesAModuleOfAnotherBuild) {
  std::string text = to_json(state);
  text.replace(text.find(gateway::kBuildId), std::string_view(gateway::kBuildId).size(), "another");
  const int main_log = log.get();
  ASSERT_TRUE(control::send_message(link.control.get(), ++messages, text, {&main_log, 1},
                                    std::chrono::seconds(1)));
  EXPECT_THAT(answer(), HasSubstr("mod_pyhost of build another; stop httpd and start it again"));
}

TEST_F(Supervisor, RefusesAMessageWithoutItsLogs) {
  want("one").log = 3;
  EXPECT_THAT(apply(), HasSubstr("its error log or its scoreboard was not passed on"));
}

TEST_F(Supervisor, ReplacesAWorkerThatExits) {
  want("one");
  ASSERT_EQ(apply(), "");
  const pid_t first = worker_pid(0);
  EXPECT_EQ(ask(0, 0, "exit 3"), "");
  const json second = observe(0);
  EXPECT_NE(second["pid"], first);
  EXPECT_EQ(second["assignment"]["generation"], 2);
  EXPECT_TRUE(
      logged(fmt::format("PH0407: worker 0 of process group 'one' (pid {}, generation 1) "
                         "exited with code 3",
                         first)));
}

TEST_F(Supervisor, NamesTheSignalThatKilledAWorker) {
  want("one");
  ASSERT_EQ(apply(), "");
  ask(0, 0, "crash");
  EXPECT_TRUE(logged("was killed by signal 11 (SIGSEGV)"));
  kill(worker_pid(0), SIGKILL);
  EXPECT_TRUE(logged("was killed by signal 9 (SIGKILL)"));
  EXPECT_EQ(observe(0)["assignment"]["generation"], 3);
}

TEST_F(Supervisor, TriesAgainAfterAFailedStart) {
  want("one", {}, {{"fail", "the plugin is missing"}});
  ASSERT_EQ(apply(), "");
  EXPECT_TRUE(logged("generation 1) could not start"));
  EXPECT_TRUE(logged("could not start: the plugin is missing", 2));
}

TEST_F(Supervisor, TellsAtWhichStepAWorkerDied) {
  want("one", {}, {{"crash", true}});
  ASSERT_EQ(apply(), "");
  EXPECT_TRUE(
      logged("could not start: it was killed by signal 11 (SIGSEGV) at the step "
             "'python'"));
}

TEST_F(Supervisor, KillsAWorkerThatIsNotReadyInTime) {
  want("one", {{"startup-timeout", "100ms"}}, {{"silent", true}});
  ASSERT_EQ(apply(), "");
  EXPECT_TRUE(logged("could not start: it was killed because it was not ready within 100 ms"));
}

TEST_F(Supervisor, KillsAWorkerThatIgnoresSigterm) {
  want("one", {{"graceful-timeout", "100ms"}, {"shutdown-timeout", "100ms"}}, {{"deaf", true}});
  ASSERT_EQ(apply(), "");
  const pid_t pid = worker_pid(0);
  EXPECT_EQ(stop_supervisor(), 0);
  EXPECT_FALSE(is_alive(pid));
  EXPECT_THAT(log_text(), HasSubstr("was killed because it had not ended within 1200 ms"));
}

TEST_F(Supervisor, RenewsEveryWorkerAtARestart) {
  want("one", {{"processes", "2"}});
  ASSERT_EQ(apply(), "");
  const std::set<pid_t> old{worker_pid(0, 0), worker_pid(0, 1)};
  state.groups[0].worker_settings = R"({"new":true})";
  ASSERT_EQ(apply(), "");
  EXPECT_TRUE(logged("PH0405", 2));
  for (unsigned slot = 0; slot < 2; ++slot) {
    const json seen = observe(0, slot);
    EXPECT_FALSE(old.contains(seen["pid"]));
    EXPECT_EQ(seen["settings"]["new"], true);
  }
  EXPECT_EQ(children_of(link.pid).size(), 2u);
}

TEST_F(Supervisor, KeepsTheWorkersOfAnUnchangedGroupWhenItIsToldTo) {
  want("one", {{"processes", "2"}, {"reload", "off"}});
  want("two");
  ASSERT_EQ(apply(), "");
  const std::set<pid_t> kept{worker_pid(0, 0), worker_pid(0, 1)};
  const pid_t two = worker_pid(1);
  ASSERT_TRUE(logged("is ready", 3));
  ASSERT_EQ(apply(), "");
  EXPECT_TRUE(wait_until([two] { return !is_alive(two); }));
  for (unsigned slot = 0; slot < 2; ++slot) {
    EXPECT_TRUE(kept.contains(worker_pid(0, slot)));
    EXPECT_EQ(slot_status(slot).state, scoreboard::SlotState::ready);
  }
  EXPECT_EQ(children_of(link.pid).size(), 3u);
}

TEST_F(Supervisor, RollsAGroupThatHasChangedAllTheSame) {
  want("one", {{"reload", "off"}, {"env-file", folder.write("env", "A=1")}});
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  ASSERT_EQ(apply(), "");
  for (const auto& change : std::vector<std::function<void()>>{
           [this] { state.groups[0].options.threads = 3; },
           [this] { state.groups[0].worker_settings = R"({"new":true})"; },
           [this] { folder.write("env", "A=2"); }}) {
    const pid_t before = worker_pid(0);
    ASSERT_TRUE(
        wait_until([this] { return slot_status(0).state == scoreboard::SlotState::ready; }));
    change();
    ASSERT_EQ(apply(), "");
    EXPECT_TRUE(wait_until([before] { return !is_alive(before); }));
  }
}

TEST_F(Supervisor, LosesNoConnectionInARestart) {
  want("one", {{"processes", "2"}});
  ASSERT_EQ(apply(), "");
  ASSERT_EQ(apply(), "");
  while (log_text().find("generation 2") == std::string::npos || children_of(link.pid).size() > 2) {
    for (unsigned slot = 0; slot < 2; ++slot) ASSERT_TRUE(observe(0, slot).is_object());
  }
  EXPECT_TRUE(logged("PH0405", 2));
}

TEST_F(Supervisor, EndsAGroupThatIsNotWantedAnyMore) {
  want("one");
  want("two", {{"processes", "2"}});
  ASSERT_EQ(apply(), "");
  const pid_t two = worker_pid(1);
  state.groups.erase(state.groups.begin() + 1);
  ASSERT_EQ(apply(), "");
  EXPECT_TRUE(wait_until([two] { return !is_alive(two); }));
  EXPECT_TRUE(wait_until([this] { return access((prefix() + ".1.1.sock").c_str(), F_OK) != 0; }));
  EXPECT_TRUE(observe(0).is_object());
}

TEST_F(Supervisor, EndsSurplusWorkers) {
  want("one", {{"processes", "3"}});
  ASSERT_EQ(apply(), "");
  const pid_t third = worker_pid(0, 2);
  state.groups[0].options.processes = 1;
  ASSERT_EQ(apply(), "");
  EXPECT_TRUE(wait_until([third] { return !is_alive(third); }));
  EXPECT_TRUE(wait_until([this] { return access((prefix() + ".0.2.sock").c_str(), F_OK) != 0; }));
}

TEST_F(Supervisor, HandsASocketPathOverToAnotherGroup) {
  want("one");
  ASSERT_EQ(apply(), "");
  const pid_t one = worker_pid(0);
  state.groups[0].options.name = "two";
  ASSERT_EQ(apply(), "");
  EXPECT_TRUE(wait_until([one] { return !is_alive(one); }));
  EXPECT_NE(worker_pid(0), one);
}

TEST_F(Supervisor, HasTheSameDescriptorsAfterManyRestarts) {
  want("one", {{"processes", "2"}});
  ASSERT_EQ(apply(), "");
  worker_pid(0, 0);
  worker_pid(0, 1);
  const auto settled = [this] { return children_of(link.pid).size() == 2; };
  const auto before = descriptors_of(link.pid).size();
  for (unsigned round = 1; round <= 5; ++round) {
    ASSERT_EQ(apply(), "");
    ASSERT_TRUE(logged("PH0405", 2 * round));
    ASSERT_TRUE(wait_until(settled));
  }
  EXPECT_TRUE(wait_until([&] { return descriptors_of(link.pid).size() == before; }))
      << testing::PrintToString(descriptors_of(link.pid));
}

TEST_F(Supervisor, IgnoresTheSignalsOfHttpdsProcessGroup) {
  want("one");
  ASSERT_EQ(apply(), "");
  const pid_t pid = worker_pid(0);
  for (const int number : {SIGHUP, SIGINT, SIGUSR1, SIGWINCH}) kill(link.pid, number);
  EXPECT_EQ(worker_pid(0), pid);
}

TEST_F(Supervisor, LeavesOnSigterm) {
  want("one");
  ASSERT_EQ(apply(), "");
  const pid_t pid = worker_pid(0);
  kill(link.pid, SIGTERM);
  EXPECT_TRUE(wait_until([pid] { return !is_alive(pid); }));
  EXPECT_TRUE(wait_until([this] { return !is_alive(link.pid); }));
}

// Some of them have not yet become the program that they are to run.
TEST_F(Supervisor, EndsWorkersThatItHasOnlyJustStarted) {
  for (int i = 0; i < 8; ++i) {
    want(fmt::format("group-{}", i), {{"processes", "4"}, {"shutdown-timeout", "60"}});
  }
  ASSERT_EQ(apply(), "");
  EXPECT_EQ(stop_supervisor(), 0);
}

TEST_F(Supervisor, TakesItsWorkersAlongWhenItIsKilled) {
  want("one", {{"processes", "2"}});
  ASSERT_EQ(apply(), "");
  const std::set<pid_t> workers{worker_pid(0, 0), worker_pid(0, 1)};
  kill(link.pid, SIGKILL);
  for (const pid_t worker : workers) {
    EXPECT_TRUE(wait_until([worker] { return !is_alive(worker); }));
  }
  int status = 0;
  waitpid(link.pid, &status, 0);
  // The next supervisor takes the paths that were left over.
  auto next = control::launch_supervisor(kPrograms, log.get());
  ASSERT_TRUE(next);
  link = *std::move(next);
  EXPECT_EQ(apply(), "");
  EXPECT_FALSE(workers.contains(worker_pid(0)));
}

TEST_F(Supervisor, LeavesWhenHttpdIsKilledAlthoughItsChildrenHoldTheChannel) {
  // The grandchild keeps the channel open, as httpd's children do.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t httpd = fork();
  if (httpd == 0) {
    auto launched = control::launch_supervisor(kPrograms, log.get());
    if (!launched) _exit(1);
    link = *std::move(launched);
    want("one");
    if (apply() != "") _exit(2);
    const pid_t child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
    const std::array<pid_t, 3> pids{link.pid, worker_pid(0), child};
    if (write(ends[1], pids.data(), sizeof pids) != sizeof pids) _exit(3);
    pause();
    _exit(0);
  }
  std::array<pid_t, 3> pids{};
  ASSERT_EQ(read(ends[0], pids.data(), sizeof pids), static_cast<ssize_t>(sizeof pids));
  kill(httpd, SIGKILL);
  EXPECT_TRUE(wait_until([&] { return !is_alive(pids[0]) && !is_alive(pids[1]); }));
  kill(pids[2], SIGKILL);
  for (const pid_t pid : {httpd, pids[0], pids[2]}) waitpid(pid, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST(SupervisorProgram, IsNotStartedByHand) {
  const TempDir folder;
  const std::string output = folder.path() + "/output";
  Process process({.arguments = {PYHOST_TEST_SUPERVISOR}, .output_file = output});
  const auto status = process.wait_status();
  ASSERT_TRUE(status);
  EXPECT_EQ(WEXITSTATUS(*status), 2);
  EXPECT_THAT(read_file(output), HasSubstr("is started by httpd"));
}

}  // namespace
}  // namespace pyhost::test
