// Commands of operators, over the supervisor's socket.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "control/operator_protocol.h"
#include "harness/process.h"
#include "supervisor/operator_fixture.h"
#include "supervisor/operators/operator_socket.h"

namespace pyhost::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

using Operator = OperatorFixture;

TEST_F(Operator, SeesGroupsAndWorkers) {
  want("one", {{"processes", "2"}, {"threads", "5"}});
  want("two");
  ASSERT_EQ(apply(), "");
  const pid_t pid = worker_pid(0, 1);
  ASSERT_TRUE(logged("is ready", 3));
  const json all = command({{"command", "status"}});
  EXPECT_EQ(all["supervisor"]["pid"], link.pid);
  ASSERT_EQ(all["groups"].size(), 2u);
  json one = all["groups"][0];
  EXPECT_EQ(one["name"], "one");
  EXPECT_EQ(one["state"], "serving");
  EXPECT_EQ(one["reason"], nullptr);
  EXPECT_EQ(one["threads"], 5);
  EXPECT_EQ(one["processes"], 2);
  EXPECT_EQ(one["running"], json::array());
  // What it uses is looked at every now and then.
  for (const char* used : {"resident_bytes", "processor_us"}) {
    EXPECT_EQ(one["workers"][1].erase(used), 1u) << used;
  }
  EXPECT_EQ(one["workers"][1], json({{"slot", 1},
                                     {"role", "worker"},
                                     {"state", "ready"},
                                     {"pid", pid},
                                     {"generation", 1},
                                     {"requests", 0},
                                     {"busy_threads", 0},
                                     {"last_death", nullptr}}));
  EXPECT_EQ(group("two")["name"], "two");
}

TEST_F(Operator, SeesHowTheLastWorkerEnded) {
  want("one");
  ASSERT_EQ(apply(), "");
  const pid_t first = worker_pid(0);
  kill(first, SIGKILL);
  ASSERT_TRUE(wait_until([&] { return worker_pid(0) != first; }));
  const json death = group("one")["workers"][0]["last_death"];
  EXPECT_EQ(death["pid"], first);
  EXPECT_EQ(death["generation"], 1);
  EXPECT_EQ(death["description"], "was killed by signal 9 (SIGKILL)");
}

TEST_F(Operator, SeesNoDeathInAPlannedReplacement) {
  want("one");
  ASSERT_EQ(apply(), "");
  const pid_t first = worker_pid(0);
  ASSERT_TRUE(logged("is ready"));
  EXPECT_EQ(command("reload", "one"), json({{"done", "process group 'one' is reloaded"}}));
  ASSERT_TRUE(wait_until([&] { return !is_alive(first); }));
  EXPECT_EQ(group("one")["workers"][0]["generation"], 2);
  EXPECT_EQ(group("one")["workers"][0]["last_death"], nullptr);
}

TEST_F(Operator, SeesWhichWorkerDoesNotSayWhatItDoes) {
  want("one", {{"processes", "2"}});
  ASSERT_EQ(apply(), "");
  const pid_t pid = worker_pid(0, 1);
  ASSERT_TRUE(logged("is ready", 2));
  const json work = command("dump", "one")["work"];
  ASSERT_EQ(work.size(), 2u);
  EXPECT_EQ(work[1], json({{"slot", 1},
                           {"role", "worker"},
                           {"pid", pid},
                           {"generation", 1},
                           {"text", ""},
                           {"problem", "it has ended, or has not said what it does"}}));
  EXPECT_EQ(command("dump", "two")["error"], "there is no process group 'two'; there are: one");
}

TEST_F(Operator, SeesWhyAGroupDoesNotStart) {
  want("one", {}, {{"fail", "the plugin is missing"}});
  ASSERT_EQ(apply(), "");
  ASSERT_TRUE(logged("PH0406"));
  EXPECT_EQ(group("one")["state"], "starting");
  EXPECT_EQ(group("one")["reason"], "the plugin is missing");
}

TEST_F(Operator, SeesWhyAWorkerDoesNotStartWhileOthersServe) {
  const std::string program = folder.path() + "/worker";
  std::filesystem::copy_file(PYHOST_TEST_WORKER, program);
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  relaunch({.supervisor = PYHOST_TEST_SUPERVISOR, .worker = program});
  want("one", {{"processes", "2"}});
  ASSERT_EQ(apply(), "");
  ASSERT_TRUE(logged("is ready", 2));
  const pid_t pid = worker_pid(0, 1);
  std::filesystem::remove(program);
  kill(pid, SIGKILL);
  ASSERT_TRUE(logged("PH0406"));
  EXPECT_EQ(group("one")["state"], "serving");
  EXPECT_THAT(group("one")["reason"].get<std::string>(), HasSubstr(program));
  std::filesystem::copy_file(PYHOST_TEST_WORKER, program);
  ASSERT_TRUE(logged("is ready", 3));
  EXPECT_EQ(group("one")["reason"], nullptr);
}

TEST_F(Operator, ReloadsAGroup) {
  want("one", {{"processes", "2"}});
  want("two");
  ASSERT_EQ(apply(), "");
  const pid_t one = worker_pid(0), two = worker_pid(1);
  ASSERT_TRUE(logged("is ready", 3));
  EXPECT_EQ(command("reload", "one"), json({{"done", "process group 'one' is reloaded"}}));
  const json reloaded = group("one");
  for (const json& worker : reloaded["workers"]) EXPECT_EQ(worker["generation"], 2);
  EXPECT_NE(worker_pid(0), one);
  EXPECT_EQ(worker_pid(1), two);
}

TEST_F(Operator, IsToldWhyAReloadFailed) {
  const std::string program = folder.path() + "/worker";
  std::filesystem::copy_file(PYHOST_TEST_WORKER, program);
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  relaunch({.supervisor = PYHOST_TEST_SUPERVISOR, .worker = program});
  want("one");
  ASSERT_EQ(apply(), "");
  const pid_t pid = worker_pid(0);
  ASSERT_TRUE(logged("is ready"));
  std::filesystem::remove(program);
  const json answer = command("reload", "one");
  EXPECT_THAT(answer.value("error", ""), HasSubstr("process group 'one' could not reload: "));
  EXPECT_THAT(answer.value("error", ""), HasSubstr("the workers of before go on serving"));
  EXPECT_EQ(worker_pid(0), pid);
}

TEST_F(Operator, SeesThatAGroupIsDegradedUntilItHasNewCode) {
  const std::string broken = folder.path() + "/broken";
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  want("one", {}, {{"broken", broken}});
  ASSERT_EQ(apply(), "");
  const pid_t first = worker_pid(0);
  ASSERT_TRUE(logged("is ready"));
  folder.write("broken", "");
  ask(0, 0, R"(say {"imported":["","/a.wsgi","application",false]})");
  ask(0, 0, R"(say {"outdated":"/a.wsgi"})");
  ASSERT_TRUE(logged("PH0411"));
  EXPECT_EQ(worker_pid(0), first);
  EXPECT_EQ(slot_status(0).state, scoreboard::SlotState::ready);
  EXPECT_GT(slot_status(0).kept_until_us, 0);
  EXPECT_EQ(group("one")["state"], "degraded");
  EXPECT_EQ(group("one")["reason"], "the script is broken");
  std::filesystem::remove(broken);
  ask(0, 0, R"(say {"outdated":"/a.wsgi"})");
  ASSERT_TRUE(wait_until([&] { return group("one")["workers"][0]["generation"] == 3; }));
  EXPECT_EQ(group("one")["state"], "serving");
  EXPECT_EQ(group("one")["reason"], nullptr);
  EXPECT_EQ(observe(0)["assignment"]["imports"],
            json::array({{"", "/a.wsgi", "application", false}}));
}

TEST_F(Operator, SeesASlotWhoseWorkerWasLetGoImportWhatThatHad) {
  want("one", {{"processes", "2"}});
  ASSERT_EQ(apply(), "");
  ASSERT_TRUE(logged("is ready", 2));
  ask(0, 1, R"(say {"imported":["","/a.wsgi","application",false]})");
  // Nobody is served by slot 1 from here on, so slot 0 is the first to show that the change works.
  ask(0, 1, R"(say {"outdated":"/a.wsgi","file":[1,2,3,4,5]})");
  ASSERT_TRUE(logged("is ready", 4));
  json assignment = observe(0, 1)["assignment"];
  EXPECT_EQ(assignment["generation"], 2);
  EXPECT_EQ(assignment["imports"], json::array({{"", "/a.wsgi", "application", false}}));
  EXPECT_EQ(assignment["imports_required"], true);
}

TEST_F(Operator, NeedNotWait) {
  want("one", {}, {{"silent", true}});
  ASSERT_EQ(apply(), "");
  EXPECT_EQ(command({{"command", "reload"}, {"group", "one"}, {"wait", false}}),
            json({{"done", "the reload of process group 'one' has begun"}}));
}

TEST_F(Operator, StopsAndStartsAGroup) {
  want("one");
  ASSERT_EQ(apply(), "");
  const pid_t pid = worker_pid(0);
  ASSERT_TRUE(logged("is ready"));
  EXPECT_EQ(command("stop", "one"), json({{"done", "process group 'one' is stopped"}}));
  EXPECT_FALSE(is_alive(pid));
  EXPECT_TRUE(board(0).is_stopped());
  EXPECT_EQ(group("one")["state"], "stopped");
  EXPECT_EQ(command("stop", "one"), json({{"done", "process group 'one' is stopped"}}));
  EXPECT_EQ(command("reload", "one"),
            json({{"error", "process group 'one' is stopped; `pyhost start one` starts it"}}));
  EXPECT_EQ(command("start", "one"), json({{"done", "process group 'one' is started"}}));
  EXPECT_FALSE(board(0).is_stopped());
  EXPECT_NE(worker_pid(0), pid);
  EXPECT_EQ(command("start", "one"), json({{"done", "process group 'one' is not stopped"}}));
}

TEST_F(Operator, StopsAGroupUntilItIsStartedOverRestarts) {
  want("one");
  ASSERT_EQ(apply(), "");
  worker_pid(0);
  command("stop", "one");
  state.groups[0].options.processes = 2;
  ASSERT_EQ(apply(), "");
  EXPECT_EQ(group("one")["state"], "stopped");
  EXPECT_EQ(children_of(link.pid).size(), 0u);
  // As httpd does for one that was killed.
  kill(link.pid, SIGKILL);
  waitpid(link.pid, nullptr, 0);
  auto next = control::launch_supervisor(kPrograms, log.get());
  ASSERT_TRUE(next);
  link = *std::move(next);
  ASSERT_EQ(apply(), "");
  EXPECT_EQ(group("one")["state"], "stopped");
  EXPECT_EQ(children_of(link.pid).size(), 0u);
  command("start", "one");
  EXPECT_EQ(children_of(link.pid).size(), 2u);
}

TEST_F(Operator, FindsAGroupRunningThatWasTakenOutOfTheConfiguration) {
  want("one");
  want("two");
  ASSERT_EQ(apply(), "");
  command("stop", "two");
  const control::WantedGroup two = state.groups[1];
  state.groups.pop_back();
  ASSERT_EQ(apply(), "");
  state.groups.push_back(two);
  ASSERT_EQ(apply(), "");
  EXPECT_GT(worker_pid(1), 0);
}

TEST_F(Operator, WhoHasStoppedAGroupIsNotOverruledByAChangedFile) {
  const std::string file = folder.write("a.txt", "");
  want("one", {{"reload-on", file}});
  want("two", {{"reload-on", file}});
  ASSERT_EQ(apply(), "");
  const pid_t two = worker_pid(1);
  ASSERT_TRUE(logged("is ready", 2));
  command("stop", "one");
  folder.write("a.txt", "changed");
  ASSERT_TRUE(wait_until([&] { return worker_pid(1) != two; }));
  EXPECT_EQ(group("one")["state"], "stopped");
  EXPECT_TRUE(logged("PH0416: process group 'two' rolls: " + file + " has changed"));
}

TEST_F(Operator, IsToldTheNamesOfTheGroups) {
  want("one");
  want("two");
  ASSERT_EQ(apply(), "");
  EXPECT_EQ(command("reload", "three"),
            json({{"error", "there is no process group 'three'; there are: one, two"}}));
}

TEST_F(Operator, IsLetGoWhenTheGroupGoes) {
  want("one");
  want("two", {}, {{"silent", true}});
  ASSERT_EQ(apply(), "");
  const base::UniqueFd waiting = begin("reload", "two");
  state.groups.pop_back();
  ASSERT_EQ(apply(), "");
  EXPECT_THAT(hear(waiting), HasSubstr("process group 'two' is no longer configured"));
}

TEST_F(Operator, MayLeaveBeforeTheAnswer) {
  want("one", {}, {{"silent", true}});
  ASSERT_EQ(apply(), "");
  begin("reload", "one");
  EXPECT_EQ(group("one")["state"], "starting");
}

TEST_F(Operator, WhoSaysNothingDisturbsNobody) {
  want("one");
  ASSERT_EQ(apply(), "");
  std::vector<base::UniqueFd> silent;
  for (std::size_t i = 0; i < supervisor::kOperatorsMax; ++i) silent.push_back(connect());
  EXPECT_THAT(hear(connect()), HasSubstr("too many commands are under way"));
  EXPECT_TRUE(observe(0).is_object());
  for (const base::UniqueFd& each : silent) EXPECT_EQ(hear(each), "");
  EXPECT_EQ(group("one")["name"], "one");
}

TEST_F(Operator, WhoTalksTooMuchIsCutOff) {
  want("one");
  ASSERT_EQ(apply(), "");
  const base::UniqueFd endless = connect();
  say(endless, std::string(2 * control::kOperatorRequestBytesMax, 'x'));
  EXPECT_EQ(hear(endless), "");
  const base::UniqueFd nonsense = connect();
  say(nonsense, "reload everything\n");
  EXPECT_THAT(hear(nonsense), HasSubstr("malformed"));
  EXPECT_EQ(group("one")["name"], "one");
}

TEST_F(Operator, FindsTheSocketAfterARestart) {
  want("one");
  ASSERT_EQ(apply(), "");
  connect();
  state.operator_socket = folder.path() + "/other.control";
  ASSERT_EQ(apply(), "");
  EXPECT_EQ(group("one")["name"], "one");
  EXPECT_NE(access((prefix() + ".control").c_str(), F_OK), 0);
  ASSERT_EQ(apply(), "");
  EXPECT_EQ(group("one")["name"], "one");
}

// As another supervisor does that replaces the socket at the same time.
TEST_F(Operator, DoesNotFindASocketWhileSomebodyElseReplacesIt) {
  const std::string lock_file = folder.write("wsgi.control.lock", "");
  const base::UniqueFd lock(open(lock_file.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(flock(lock.get(), LOCK_EX), 0);
  // Somebody's who was killed.
  std::filesystem::create_symlink("nowhere", path());
  want("one");
  ASSERT_EQ(apply(), "");
  EXPECT_TRUE(logged("PH0413: another httpd is about to listen at " + path()));
  EXPECT_TRUE(std::filesystem::is_symlink(path()));
  flock(lock.get(), LOCK_UN);
  EXPECT_EQ(group("one")["name"], "one");
  EXPECT_NE(access(lock_file.c_str(), F_OK), 0);
}

TEST_F(Operator, DoesNotLoseASocketToAnotherHttpd) {
  want("one");
  ASSERT_EQ(apply(), "");
  connect();
  auto other = control::launch_supervisor(kPrograms, log.get());
  ASSERT_TRUE(other);
  control::WantedState theirs = state;
  theirs.socket_prefix += ".other";
  const std::array descriptors{log.get(), boards.at(0).board_fd(), boards.at(0).reports_fd()};
  ASSERT_TRUE(control::send_wanted_state(other->control.get(), 1, theirs, descriptors));
  EXPECT_TRUE(logged("PH0413: another httpd listens at"));
  EXPECT_EQ(command({{"command", "status"}})["supervisor"]["pid"], link.pid);
  // When the first one goes, the other has its turn.
  const pid_t pid = other->pid;
  stop_supervisor();
  EXPECT_TRUE(wait_until([&] { return access(path().c_str(), F_OK) == 0; }));
  EXPECT_EQ(command({{"command", "status"}})["supervisor"]["pid"], pid);
  other->control.reset();
  waitpid(pid, nullptr, 0);
}

}  // namespace
}  // namespace pyhost::test
