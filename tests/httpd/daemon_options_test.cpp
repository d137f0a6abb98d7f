// What the options of WSGIDaemonProcess do, as an application in the worker sees it.

#include <gmock/gmock.h>

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <thread>

#include "harness/command.h"
#include "harness/httpd.h"
#include "httpd/portrait.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::StartsWith;
using testing::UnorderedElementsAre;

constexpr char kPlain[] = "WSGIScriptAlias / ${APPS}/process.wsgi process-group=g\n";

std::string group_with(const std::string& options) {
  return "WSGIDaemonProcess g " + options + "\n" + kPlain;
}

// Until the application lets go of what it has, there is nothing left for anybody.
TEST(MemoryLimit, FailsAllocationsAndNotTheWorker) {
  Httpd httpd(
      "WSGIDaemonProcess g threads=6 memory-limit=300M\n"
      "WSGIScriptAlias / ${ROOT}/apps/hoard.wsgi process-group=g\n",
      {.processes = 1,
       .files = {{"apps/hoard.wsgi",
                  "import os, time\n"
                  "def hoard():\n"
                  "    kept = []\n"
                  "    try:\n"
                  "        for size in (1 << 20, 1 << 16, 1 << 10, 100, 10):\n"
                  "            try:\n"
                  "                while True:\n"
                  "                    kept.append(bytearray(size))\n"
                  "            except MemoryError:\n"
                  "                pass\n"
                  "        time.sleep(0.3)\n"
                  "    finally:\n"
                  "        del kept\n"
                  "def application(environ, start_response):\n"
                  "    if environ['PATH_INFO'] == '/hoard':\n"
                  "        hoard()\n"
                  "    elif environ['PATH_INFO'] == '/slow':\n"
                  "        time.sleep(3)\n"
                  "    start_response('200 OK', [('X-Pid', str(os.getpid()))])\n"
                  "    return [b'answered']\n"}}});
  httpd.tolerate_log("PH0314");
  httpd.tolerate_log("PH0174");
  httpd.tolerate_log("MemoryError");
  const auto pid = httpd.get("/").header("x-pid");
  {
    const auto is_answered = [&] {
      const Response reply = httpd.get("/slow");
      EXPECT_EQ(reply.body, "answered") << reply;
      EXPECT_EQ(reply.header("x-pid"), pid);
    };
    const std::jthread one(is_answered), other(is_answered);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    const Response hoarder = httpd.get("/hoard");
    EXPECT_THAT(hoarder.status, testing::AnyOf(200, 500, 503)) << hoarder;
    static_cast<void>(httpd.get("/"));
  }
  EXPECT_EQ(httpd.get("/").header("x-pid"), pid);
}

TEST(RequestTimeout, DoesNotCountTheImportOfTheScript) {
  const Httpd httpd(
      "WSGIDaemonProcess g request-timeout=2 interrupt-timeout=1\n"
      "WSGIScriptAlias / ${ROOT}/apps/slow.wsgi process-group=g\n",
      {.files = {{"apps/slow.wsgi",
                  "import time\n"
                  "time.sleep(4)\n"
                  "def application(environ, start_response):\n"
                  "    start_response('200 OK', [])\n"
                  "    return [b'imported']\n"}}});
  EXPECT_EQ(httpd.get("/").body, "imported");
}

TEST(WorkerOption, UmaskHomePriorityAndOomScoreAreTheProcesss) {
  const Httpd httpd(
      group_with("umask=0027 home=${ROOT}/folder cpu-priority=7 display-name=%{GROUP} "
                 "oom-score-adjust=800"),
      {.files = {{"folder/beside.py", ""}}});
  const Json seen = portrait_of(httpd);
  EXPECT_EQ(seen["umask"], "0027");
  EXPECT_EQ(seen["cwd"], httpd.root() + "/folder");
  EXPECT_EQ(seen["path"][0], httpd.root() + "/folder");
  EXPECT_EQ(seen["nice"], 7);
  EXPECT_EQ(seen["oom_score"], 800);
  EXPECT_EQ(seen["arguments"][0], "(wsgi:g)");
}

TEST(WorkerOption, EnvironmentComesFromTheFileAndFromEnv) {
  const Httpd httpd(
      group_with("env=FIRST=one env=\"SECOND=a b\" env=BOTH=option env-file=${ROOT}/variables"),
      {.files = {{"variables", "# of the test\n\nTHIRD='quoted'\nBOTH=file\n"}}});
  const Json seen = portrait_of(httpd)["env"];
  EXPECT_EQ(seen["FIRST"], "one");
  EXPECT_EQ(seen["SECOND"], "a b");
  EXPECT_EQ(seen["THIRD"], "quoted");
  EXPECT_EQ(seen["BOTH"], "option");
}

TEST(WorkerOption, LocaleIsInTheEnvironmentAndTextIsUtf8WithoutOne) {
  const Httpd named(group_with("lang=C.utf8 locale=C.utf8"));
  const Json with_locale = portrait_of(named);
  EXPECT_EQ(with_locale["env"]["LANG"], "C.utf8");
  EXPECT_EQ(with_locale["env"]["LC_ALL"], "C.utf8");
  EXPECT_EQ(with_locale["locale"], "C.utf8");

  const Httpd plain(group_with("threads=1"), {.environment = {{"LC_ALL", "C"}}});
  const Json seen = portrait_of(plain);
  EXPECT_EQ(seen["utf8"], 1);
  EXPECT_EQ(seen["filesystem"], "utf-8");
  EXPECT_EQ(seen["env"]["LC_ALL"], "C");
}

TEST(WorkerOption, LocaleThatIsNotInstalledKeepsNobodyFromBeingServed) {
  Httpd httpd(group_with("lang=xx_YY.UTF-8 locale=xx_YY.UTF-8"));
  httpd.expect_log("PH0079: WSGIDaemonProcess g: locale=xx_YY.UTF-8: there is no such locale");
  const Json seen = portrait_of(httpd);
  EXPECT_EQ(seen["env"]["LANG"], "xx_YY.UTF-8");
  EXPECT_EQ(seen["env"]["LC_ALL"], "xx_YY.UTF-8");
  EXPECT_EQ(seen["filesystem"], "utf-8");
}

// As Python's own command has it: what an application starts is to understand UTF-8.
TEST(Environment, HasALocaleForCharactersAndAPlaceForEggs) {
  const Httpd httpd(
      "WSGIScriptAlias /here ${APPS}/process.wsgi process-group=%{GLOBAL}\n"
      "WSGIPythonEggs /srv/eggs\n" +
      group_with("threads=1 python-eggs=eggs"));
  const Json worker = portrait_of(httpd)["env"];
  const Json child = portrait_of(httpd, "/here")["env"];
  EXPECT_EQ(worker["LC_CTYPE"], "C.UTF-8");
  EXPECT_EQ(child["LC_CTYPE"], "C.UTF-8");
  EXPECT_EQ(worker["PYTHON_EGG_CACHE"], "eggs");
  EXPECT_EQ(child["PYTHON_EGG_CACHE"], "/srv/eggs");
}

TEST(WorkerOption, LimitsAreThoseOfTheKernel) {
  const Httpd httpd(
      group_with("memory-limit=700M virtual-memory-limit=6G cpu-time-limit=100 "
                 "graceful-timeout=15 shutdown-timeout=5"));
  const Json seen = portrait_of(httpd)["limits"];
  EXPECT_EQ(seen["DATA"][0], 700 << 20);
  EXPECT_EQ(seen["AS"][1], std::int64_t{6} << 30);
  EXPECT_EQ(seen["CPU"][0], 100);
  EXPECT_EQ(seen["CPU"][1], 100 + 15 + 5 + 1);
}

TEST(WorkerOption, StackAndSwitchIntervalReachTheThreads) {
  const Httpd httpd(group_with("stack-size=16M switch-interval=0.002"));
  const Json seen = portrait_of(httpd);
  EXPECT_GE(seen["stack"], 16 << 20);
  EXPECT_LT(seen["stack"], 17 << 20);
  EXPECT_DOUBLE_EQ(seen["switch"], 0.002);
}

TEST(WorkerOption, SwitchIntervalIsTheDirectivesUnlessTheGroupHasItsOwn) {
  const Httpd httpd(
      "WSGISwitchInterval 0.02\n"
      "WSGIDaemonProcess own switch-interval=0.003\n"
      "WSGIScriptAlias /own ${APPS}/process.wsgi process-group=own\n" +
      group_with("threads=1"));
  EXPECT_DOUBLE_EQ(portrait_of(httpd)["switch"], 0.02);
  EXPECT_DOUBLE_EQ(portrait_of(httpd, "/own")["switch"], 0.003);
}

TEST(WorkerOption, HomeIsFirstOnThePathAlsoWhenPythonPathNamesIt) {
  const Httpd httpd(group_with("home=${ROOT}/app python-path=${ROOT}/packages:${ROOT}/app"),
                    {.files = {{"app/twice.py", ""}, {"packages/twice.py", ""}}});
  const Json path = portrait_of(httpd)["path"];
  EXPECT_EQ(path[0], httpd.root() + "/app");
  EXPECT_EQ(path[1], httpd.root() + "/packages");
}

TEST(WorkerOption, PythonPathComesBeforeTheRest) {
  const Httpd httpd(group_with("python-path=${ROOT}/one:${ROOT}/two"),
                    {.files = {{"one/a.py", ""}, {"two/b.pth", "/usr/share\n"}}});
  const Json path = portrait_of(httpd)["path"];
  EXPECT_EQ(path[0], httpd.root() + "/one");
  EXPECT_EQ(path[1], httpd.root() + "/two");
  EXPECT_EQ(path[2], "/usr/share");
}

TEST(WorkerOption, PythonPathThatMayNotBeReadIsNamed) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can close folders to the workers";
  const TempDir folder;
  folder.write("closed/only_here.py", "");
  const std::string closed = folder.path() + "/closed";
  std::filesystem::permissions(closed, std::filesystem::perms::owner_all);
  Httpd httpd(group_with("python-path=/no/such/folder:" + closed));
  httpd.expect_log("PH0091: '" + closed + "' could not be added to the Python path of the main");
  EXPECT_EQ(portrait_of(httpd)["path"][1], closed);
  EXPECT_THAT(httpd.log(), AllOf(HasSubstr("PermissionError: [Errno 13] Permission denied"),
                                 Not(HasSubstr("/no/such/folder"))));
}

TEST(WorkerOption, PythonIsAVersionWithoutTheEnvironmentOfOthers) {
  const TempDir folder;
  const std::string home = folder.make_writable("home") + "/venv";
  const CommandResult made =
      run_as_server_user({"/usr/bin/python3", "-m", "venv", "--without-pip", home});
  ASSERT_TRUE(made.ok()) << made;
  const Httpd httpd("WSGIPythonHome " + home + "\n" + group_with("python=" TEST_PYTHON_VERSION));
  EXPECT_NE(portrait_of(httpd)["prefix"], home);
}

TEST(WorkerOption, PythonHomeIsAVirtualEnvironment) {
  const TempDir folder;
  const std::string home = folder.make_writable("home") + "/venv";
  const CommandResult made = run_as_server_user(
      {"/usr/bin/python3", "-m", "venv", "--without-pip", "--system-site-packages", home});
  ASSERT_TRUE(made.ok()) << made;
  const Httpd httpd(group_with("python-home=" + home));
  const Json seen = portrait_of(httpd);
  EXPECT_EQ(seen["prefix"], home);
  EXPECT_THAT(seen["path"].get<std::vector<std::string>>(), Contains(StartsWith(home)));
}

// As those of people are on many systems. Whoever starts httpd may enter it.
TEST(PythonHomeInAClosedHome, IsAnErrorOfTheStartAndOfEachWorker) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can look into everything";
  namespace fs = std::filesystem;
  const TempDir folder;
  const std::string home = folder.make_writable("deploy") + "/venv";
  const CommandResult made = run_as_server_user(
      {"/usr/bin/python3", "-m", "venv", "--without-pip", "--system-site-packages", home});
  ASSERT_TRUE(made.ok()) << made;
  const std::string config = group_with("python-home=" + home);
  for (const std::string part : {"", "/lib", "/lib/python" TEST_PYTHON_VERSION "/site-packages"}) {
    const std::string closed = home + part;
    ASSERT_EQ(chown(closed.c_str(), 0, 0), 0);
    fs::permissions(closed, fs::perms::owner_all);
    const std::string refusal = closed + " cannot be used: Permission denied";
    for (const auto& check : {check_config(config), start_in_vain(config)}) {
      EXPECT_FALSE(check.ok());
      EXPECT_THAT(check.output, HasSubstr("WSGIDaemonProcess g: python-home=: " + refusal));
    }
    EXPECT_THAT(check_config("WSGIPythonHome " + home).output,
                HasSubstr("WSGIPythonHome: " + refusal));
    fs::permissions(closed, fs::perms(0755));
  }
  Httpd httpd(config);
  EXPECT_EQ(portrait_of(httpd)["prefix"], home);
  fs::permissions(folder.path() + "/deploy", fs::perms::owner_all);
  ASSERT_EQ(chown((folder.path() + "/deploy").c_str(), 0, 0), 0);
  for (const char* id : {"PH0406", "PH0407"}) httpd.expect_log(id);
  const int pid = portrait_of(httpd)["pid"];
  kill(pid, SIGKILL);
  httpd.wait_for_log("Python cannot start: " + home + " cannot be used: Permission denied");
  fs::permissions(folder.path() + "/deploy", fs::perms(0755));
  EXPECT_TRUE(wait_until([&] { return httpd.get("/").status == 200; }));
  EXPECT_EQ(portrait_of(httpd)["prefix"], home);
}

// Of a user, and by variables: Python is isolated from both.
TEST(WorkerPackages, AreThoseThatTheConfigurationNames) {
  const std::string packages = "home/.local/lib/python" TEST_PYTHON_VERSION "/site-packages";
  const std::string application =
      "import sys\n"
      "def application(environ, start_response):\n"
      "    start_response('200 OK', [])\n"
      "    return [repr([p for p in sys.path if '/home/' in p]).encode()]\n";
  Httpd httpd(
      "WSGIDaemonProcess g env=HOME=${ROOT}/home env=PYTHONPATH=${ROOT}/home/more\n"
      "WSGIScriptAlias /without ${ROOT}/apps/without.wsgi process-group=g\n"
      "WSGIScriptAlias /with ${ROOT}/apps/with.wsgi process-group=g application-group=%{GLOBAL}\n",
      {.files = {{packages + "/only_here.py", ""},
                 {"home/more/there.py", ""},
                 {"apps/without.wsgi", application},
                 {"apps/with.wsgi", "import only_here\n" + application}},
       .environment = {{"PYTHONPATH", "/srv/lib"}}});
  EXPECT_EQ(httpd.get("/without").body, "[]");
  httpd.expect_log("only_here");
  EXPECT_EQ(httpd.get("/with").status, 500);
  EXPECT_THAT(httpd.log(),
              AllOf(HasSubstr("only_here is in " + httpd.root() + "/" + packages +
                              ", where pip install --user puts packages"),
                    HasSubstr("or name the folder in python-path= of its WSGIDaemonProcess"),
                    HasSubstr("PH0354: WSGIDaemonProcess g: env=PYTHONPATH has no effect on"),
                    HasSubstr("PH0354: the environment of httpd: PYTHONPATH has no effect on")));
}

struct Shape {
  std::string options;
  std::string multiprocess, multithread;
};

TEST(WorkerOption, ProcessesAndThreadsAreToldToTheApplication) {
  const Shape shapes[] = {{"threads=1", "False", "False"},
                          {"threads=3", "False", "True"},
                          {"processes=1 threads=1", "True", "False"},
                          {"processes=2 threads=2", "True", "True"}};
  for (const Shape& shape : shapes) {
    const Httpd httpd(group_with(shape.options));
    const Json seen = portrait_of(httpd)["wsgi"];
    EXPECT_EQ(seen["wsgi.multiprocess"], shape.multiprocess) << shape.options;
    EXPECT_EQ(seen["wsgi.multithread"], shape.multithread) << shape.options;
    EXPECT_EQ(seen["mod_wsgi.process_group"], "g");
    const std::size_t workers = shape.options.find("processes=2") == std::string::npos ? 1 : 2;
    // The second may not have become the program that it is to run.
    EXPECT_TRUE(wait_until([&] { return httpd.running("pyhost-worker").size() == workers; }));
  }
}

TEST(WorkerDescriptors, AreNullTheLogAndWhatIsClosedOnExec) {
  const Httpd httpd(
      "WSGIDaemonProcess g threads=1\n"
      "WSGIScriptAlias /children ${APPS}/children.wsgi process-group=g\n"
      "WSGIScriptAlias / ${APPS}/process.wsgi process-group=g application-group=%{GLOBAL}\n");
  const Json seen = portrait_of(httpd)["descriptors"];
  EXPECT_EQ(seen["0"], "/dev/null");
  EXPECT_EQ(seen["1"], httpd.root() + "/error.log");
  EXPECT_EQ(seen["2"], httpd.root() + "/error.log");
  std::map<std::string, int> kinds;
  for (const auto& [number, target] : seen.items()) {
    const std::string text = target;
    ++kinds[text.substr(0, text.find('['))];
  }
  // What it listens to, twice, so that one can be spared; one connection and how it tells the
  // supervisor; what it waits for.
  EXPECT_THAT(kinds,
              UnorderedElementsAre(Pair("/dev/null", 1), Pair(httpd.root() + "/error.log", 3),
                                   Pair("socket:", 4), Pair("anon_inode:", 6)));
  // A shell's own: its three, and ls's look at the folder.
  EXPECT_EQ(httpd.get("/children/shell").body, "4");
}

TEST(WorkerOutput, GoesToTheLogOfTheVirtualHostThatDefinesTheGroup) {
  Httpd httpd(
      "<VirtualHost *:*>\n"
      "  ServerName localhost\n"
      "  ErrorLog ${ROOT}/own.log\n"
      "  WSGIDaemonProcess g\n"
      "  WSGIScriptAlias / ${APPS}/talks.wsgi process-group=g\n"
      "</VirtualHost>\n");
  EXPECT_EQ(httpd.get("/").body, "b''");
  const std::string own = read_file(httpd.root() + "/own.log");
  EXPECT_THAT(
      own, AllOf(HasSubstr("raw words on descriptor 1\n"), HasSubstr("raw words on descriptor 2\n"),
                 HasSubstr("words of a child\n"), HasSubstr("PH0404")));
  EXPECT_THAT(httpd.log(), Not(HasSubstr("raw words")));
}

TEST(WorkerChildren, AreAllowedInTheMainInterpreter) {
  const Httpd httpd(
      "WSGIDaemonProcess g\n"
      "WSGIScriptAlias / ${APPS}/children.wsgi process-group=g\n");
  EXPECT_EQ(httpd.get("/subprocess").body, "hello");
  EXPECT_EQ(httpd.get("/fork").body, "forked");
  EXPECT_EQ(httpd.get("/pool/fork").body, "[1, 2, 3]");
  EXPECT_EQ(httpd.get("/pool/spawn").body, "[1, 2, 3]");
}

TEST(WorkerChildren, AreRefusedInASubinterpreterWithTheCure) {
  const Httpd httpd(
      "WSGIDaemonProcess g\n"
      "WSGIScriptAlias / ${APPS}/children.wsgi process-group=g application-group=sub\n");
  EXPECT_EQ(httpd.get("/subprocess").body, "hello");
  EXPECT_THAT(httpd.get("/fork").body,
              AllOf(StartsWith("RuntimeError"), HasSubstr("WSGIApplicationGroup %{GLOBAL}")));
}

}  // namespace
}  // namespace pyhost::test
