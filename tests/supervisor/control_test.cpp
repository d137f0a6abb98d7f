// What httpd's parent tells the supervisor, and what that answers, when not all is well.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

#include "harness/dead_disk.h"
#include "harness/process.h"
#include "supervisor/supervisor_fixture.h"

namespace pyhost::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Control = SupervisorFixture;

TEST_F(Control, ServesWhatCanBeServedInThePlaceOfAnotherSupervisor) {
  const std::string home = folder.path() + "/home";
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  want("good");
  want("bad", {{"home", home}});
  state.revival = true;
  EXPECT_THAT(apply(), AllOf(HasSubstr("bad: home="), Not(HasSubstr("good"))));
  const pid_t good = worker_pid(0);
  EXPECT_THAT(apply(), HasSubstr("bad: home="));
  // Told again, it finishes what was missing and leaves alone what is there.
  ASSERT_EQ(mkdir(home.c_str(), 0755), 0);
  EXPECT_EQ(apply(), "");
  EXPECT_TRUE(observe(1).is_object());
  EXPECT_EQ(worker_pid(0), good);
  EXPECT_EQ(children_of(link.pid).size(), 2u);
}

TEST_F(Control, AnswersTheMessageThatIsAsked) {
  want("one");
  ASSERT_EQ(apply(), "");
  kill(link.pid, SIGSTOP);
  send_state();
  state.groups[0].options.user = "nobody-here";
  send_state();
  kill(link.pid, SIGCONT);
  EXPECT_THAT(answer(), HasSubstr("nobody-here"));
  state.groups[0].options.user = "";
  EXPECT_EQ(apply(), "");
}

TEST_F(Control, LeavesNobodyWaitingWhenItIsTerminated) {
  want("one", {{"graceful-timeout", "60"}, {"shutdown-timeout", "1"}}, {{"deaf", true}});
  ASSERT_EQ(apply(), "");
  const pid_t worker = worker_pid(0);
  kill(link.pid, SIGTERM);
  ASSERT_TRUE(logged("PH0401"));
  ++messages;
  EXPECT_THAT(answer(), HasSubstr("pyhost-supervisor has ended"));
  EXPECT_TRUE(is_alive(link.pid));
  // Another one may take its place at once.
  auto next = control::launch_supervisor(kPrograms, log.get());
  ASSERT_TRUE(next);
  const pid_t before = std::exchange(link, *std::move(next)).pid;
  state.groups[0].worker_settings = "{}";
  EXPECT_EQ(apply(), "");
  EXPECT_TRUE(wait_until([&] { return worker_pid(0) != worker; }));
  kill(worker, SIGKILL);
  int status = -1;
  EXPECT_TRUE(wait_until([&] { return waitpid(before, &status, WNOHANG) == before; }));
  EXPECT_EQ(status, 0);
}

TEST_F(Control, HeedsNobodyButHttpdsParent) {
  want("one");
  ASSERT_EQ(apply(), "");
  const pid_t pid = worker_pid(0);
  want("theirs");
  const pid_t other = fork();
  if (other == 0) {
    send_state();
    _exit(0);
  }
  waitpid(other, nullptr, 0);
  EXPECT_TRUE(logged(fmt::format("PH0420: the process {} of user {}", other, getuid())));
  EXPECT_EQ(children_of(link.pid), std::vector<pid_t>{pid});
  EXPECT_EQ(apply(), "");
  EXPECT_TRUE(observe(1).is_object());
}

TEST_F(Control, KeepsTheIdsOfHttpdThatItWasToldFirst) {
  want("one");
  ASSERT_EQ(apply(), "");
  const pid_t pid = worker_pid(0);
  ++state.httpd.uid;
  EXPECT_THAT(apply(), HasSubstr("User or Group of httpd is not what it was"));
  EXPECT_EQ(worker_pid(0), pid);
}

TEST_F(Control, GivesWorkersTheLimitOfOpenFilesThatItWasGivenItself) {
  rlimit own{}, its{};
  getrlimit(RLIMIT_NOFILE, &own);
  want("one");
  ASSERT_EQ(apply(), "");
  EXPECT_EQ(observe(0)["files"], json({own.rlim_cur, own.rlim_max}));
  prlimit(link.pid, RLIMIT_NOFILE, nullptr, &its);
  EXPECT_EQ(its.rlim_cur, own.rlim_max);
}

TEST_F(Control, NamesTheLimitOfOpenFilesThatIsTooSmall) {
  const rlimit few{.rlim_cur = 160, .rlim_max = 160};
  prlimit(link.pid, RLIMIT_NOFILE, &few, nullptr);
  for (int i = 0; i < 4; ++i) want(fmt::format("group-{}", i), {{"processes", "4"}});
  EXPECT_EQ(apply(), "");
  EXPECT_TRUE(logged("PH0418"));
  EXPECT_TRUE(logged("the hard limit of open files (ulimit -Hn, LimitNOFILE=)"));
  EXPECT_TRUE(logged("is ready", 16));
}

TEST_F(Control, TakesAnyNumberOfLogs) {
  constexpr unsigned kLogs = 300;
  control::WantedGroup& group = want("one");
  board(0);
  std::vector<int> descriptors(kLogs, log.get());
  const std::string own = folder.write("own.log", "");
  const base::UniqueFd last(open(own.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  group.log = descriptors.size();
  group.board = group.log + 1;
  group.reports = group.log + 2;
  descriptors.insert(descriptors.end(),
                     {last.get(), boards.at(0).board_fd(), boards.at(0).reports_fd()});
  ASSERT_TRUE(control::send_wanted_state(link.control.get(), ++messages, state, descriptors));
  EXPECT_EQ(answer(), "");
  EXPECT_TRUE(wait_until([&] { return read_file(own).find("is ready") != std::string::npos; }));
}

std::vector<pid_t> lookouts_of(pid_t supervisor) {
  std::vector<pid_t> found;
  for (const pid_t pid : children_of(supervisor)) {
    if (read_file(fmt::format("/proc/{}/comm", pid)) == "pyhost-lookout\n") found.push_back(pid);
  }
  return found;
}

TEST_F(Control, WatchesTheFilesOfAllGroupsOfAUserWithOneInstance) {
  for (int i = 0; i < 5; ++i) {
    want(fmt::format("group-{}", i), {{"reload-on", folder.path() + "/*.py"}});
  }
  ASSERT_EQ(apply(), "");
  ASSERT_TRUE(logged("is ready", 5));
  ASSERT_TRUE(wait_until([&] { return lookouts_of(link.pid).size() == 1; }));
  const auto lookouts = lookouts_of(link.pid);
  const auto is_inotify = [](const std::string& each) { return each.find("inotify") != each.npos; };
  EXPECT_TRUE(wait_until(
      [&] { return std::ranges::count_if(descriptors_of(lookouts[0]), is_inotify) == 1; }));
  folder.write("new.py", "");
  EXPECT_TRUE(logged("PH0416", 5));
  EXPECT_TRUE(logged("is ready", 10));
}

TEST_F(Control, StartsALookoutAgainThatHasEnded) {
  want("one", {{"reload-on", folder.path() + "/*.py"}});
  ASSERT_EQ(apply(), "");
  ASSERT_TRUE(logged("is ready"));
  ASSERT_TRUE(wait_until([&] { return lookouts_of(link.pid).size() == 1; }));
  const auto before = lookouts_of(link.pid);
  kill(before[0], SIGKILL);
  EXPECT_TRUE(logged("pyhost-lookout has ended (signal 9)"));
  EXPECT_TRUE(wait_until([&] {
    const auto now = lookouts_of(link.pid);
    return now.size() == 1 && now != before;
  }));
  folder.write("new.py", "");
  EXPECT_TRUE(logged("PH0416"));
}

// What its user does to it concerns nobody else.
TEST_F(Control, ReloadsAnotherGroupAtOnceWhileALookoutDoesNotRun) {
  if (geteuid() != 0) GTEST_SKIP() << "another user is needed";
  want("one", {{"user", "games"}, {"reload-on", folder.path() + "/*.py"}});
  want("two", {{"reload-on", folder.path() + "/*.py"}});
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  ASSERT_EQ(apply(), "");
  ASSERT_TRUE(logged("is ready", 2));
  ASSERT_TRUE(wait_until([&] { return lookouts_of(link.pid).size() == 2; }));
  const auto lookouts = lookouts_of(link.pid);
  const uid_t games = getpwnam("games")->pw_uid;
  const auto of_games = std::ranges::find_if(lookouts, [games](pid_t pid) {
    return read_file(fmt::format("/proc/{}/status", pid))
               .find(fmt::format("Uid:\t{0}\t{0}\t{0}", games)) != std::string::npos;
  });
  ASSERT_NE(of_games, lookouts.end());
  kill(*of_games, SIGSTOP);
  folder.write("new.py", "");
  EXPECT_TRUE(logged("process group 'two' rolls"));
  EXPECT_TRUE(logged("is ready", 3));
  kill(*of_games, SIGCONT);
  EXPECT_TRUE(logged("process group 'one' rolls"));
}

// Refuses a system call to this process and what it starts, as containers do.
bool refuse_system_call(unsigned number) {
  std::array<sock_filter, 4> filter{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                                     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
                                     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                                     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}};
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_F(Control, NamesTheSystemCallThatIsRefused) {
  const pid_t httpd = fork();
  if (httpd == 0) {
    if (!refuse_system_call(SYS_pidfd_open)) _exit(3);
    auto launched = control::launch_supervisor(kPrograms, log.get());
    if (!launched) _exit(2);
    const auto answer = control::await_answer(launched->control.get(), 1);
    _exit(answer ? 1 : 0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(httpd, &status, 0), httpd);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(
      logged("pyhost-supervisor: the system call pidfd_open() is refused: Function not "
             "implemented; it needs Linux 5.3"));
}

// --- Socket files ---

TEST_F(Control, MakesASocketFileAnewThatIsGone) {
  want("one", {{"processes", "2"}});
  ASSERT_EQ(apply(), "");
  const pid_t kept = worker_pid(0, 0), renewed = worker_pid(0, 1);
  ASSERT_TRUE(logged("is ready", 2));
  ASSERT_EQ(unlink((prefix() + ".0.1.sock").c_str()), 0);
  EXPECT_TRUE(logged("PH0422: process group 'one': " + prefix() + ".0.1.sock was gone"));
  EXPECT_NE(worker_pid(0, 1), renewed);
  EXPECT_TRUE(wait_until([&] { return !is_alive(renewed); }));
  EXPECT_EQ(worker_pid(0, 0), kept);
}

TEST_F(Control, MakesSocketFilesAnewAtARestart) {
  want("one", {{"reload", "off"}});
  ASSERT_EQ(apply(), "");
  const pid_t pid = worker_pid(0);
  ASSERT_TRUE(logged("is ready"));
  ASSERT_EQ(unlink((prefix() + ".0.0.sock").c_str()), 0);
  ASSERT_EQ(apply(), "");
  EXPECT_NE(worker_pid(0), pid);
}

// --- A group that cannot be looked at ---

TEST_F(Control, SupervisesTheOthersWhileTheStartOfAGroupHangs) {
  const DeadDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << "needs root and FUSE";
  want("two");
  ASSERT_EQ(apply(), "");
  const pid_t two = worker_pid(0);
  want("one", {{"home", disk.path() + "/app"}});
  send_state();
  kill(two, SIGKILL);
  EXPECT_TRUE(wait_until([&] { return children_of(link.pid).size() == 2; }));
  EXPECT_NE(worker_pid(0), two);
  EXPECT_THAT(answer(), AllOf(HasSubstr("WSGIDaemonProcess one: "), HasSubstr("within 10 s"),
                              HasSubstr(disk.path() + "/app")));
  EXPECT_TRUE(wait_until([&] { return children_of(link.pid).size() == 1; }));
}

TEST_F(Control, GoesOnWithWhatWasReadWhenAFileIsNoneAnyMore) {
  const std::string env = folder.write("env", "A=1");
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  want("one", {{"env-file", env}});
  ASSERT_EQ(apply(), "");
  EXPECT_THAT(observe(0)["environment"], testing::Contains("A=1"));
  ASSERT_EQ(unlink(env.c_str()), 0);
  ASSERT_EQ(mkfifo(env.c_str(), 0644), 0);
  want("two");
  ASSERT_EQ(apply(), "");
  EXPECT_TRUE(logged("PH0421: WSGIDaemonProcess one: env-file=" + env +
                     " cannot be read: it is no regular file"));
  EXPECT_TRUE(logged("generation 2"));
  EXPECT_THAT(observe(0)["environment"], testing::Contains("A=1"));
  EXPECT_TRUE(observe(1).is_object());
}

TEST_F(Control, RefusesANewGroupWhoseFileIsNone) {
  const std::string env = folder.path() + "/env";
  ASSERT_EQ(mkfifo(env.c_str(), 0644), 0);
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  want("one", {{"env-file", env}});
  EXPECT_THAT(apply(), HasSubstr("cannot be read: it is no regular file"));
  EXPECT_THAT(children_of(link.pid), IsEmpty());
}

}  // namespace
}  // namespace pyhost::test
