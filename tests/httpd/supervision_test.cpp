// httpd's parent, its supervisor and the users of process groups: who can hold up or end whom.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <sstream>

#include "harness/command.h"
#include "harness/dead_disk.h"
#include "harness/httpd.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

// Groups that a test defines while httpd runs, with applications of ${APPS}.
constexpr char kGroupsFile[] = "groups.conf";
const std::string kInclude = "# ${APPS}\nIncludeOptional ${ROOT}/groups.conf\n";

std::string group(const std::string& name, const std::string& options = "") {
  return fmt::format(
      "WSGIDaemonProcess {0} threads=2 {1}\n"
      "WSGIScriptAlias /{0} ${{APPS}}/perils.wsgi process-group={0} "
      "application-group=%{{GLOBAL}}\n",
      name, options);
}

bool serves(const Httpd& httpd, const std::string& path) {
  return wait_until([&] { return httpd.get(path).status == 200; });
}

// A new group gives httpd's parent descriptors that Httpd::graceful() does not expect.
void restart_with_more(const Httpd& httpd) {
  const auto up = [&httpd] { return count(httpd.log(), "resuming normal operations"); };
  const auto before = up();
  kill(httpd.pid(), SIGUSR1);
  EXPECT_TRUE(wait_until([&] { return up() > before; })) << httpd.log();
}

// --- A supervisor that is started anew ---

TEST(NewSupervisor, ServesTheOthersWhenOneGroupCannotStartAndTriesThatAgain) {
  Httpd httpd(group("a", "home=${ROOT}/home connect-timeout=1") + group("b", "connect-timeout=1"),
              {.files = {{"home/file", ""}}});
  ASSERT_EQ(httpd.get("/a").status, 200);
  ASSERT_EQ(httpd.get("/b").status, 200);
  for (const char* text : {"PH0357", "PH0356", "PH0454"}) httpd.tolerate_log(text);
  fs::rename(httpd.root() + "/home", httpd.root() + "/away");
  kill(httpd.running("pyhost-supervisor").at(0), SIGKILL);
  httpd.wait_for_log("PH0356: WSGIDaemonProcess a: home=");
  EXPECT_TRUE(serves(httpd, "/b"));
  const auto worker = httpd.running("pyhost-worker");
  fs::rename(httpd.root() + "/away", httpd.root() + "/home");
  EXPECT_TRUE(serves(httpd, "/a"));
  EXPECT_TRUE(wait_until([&] { return httpd.running("pyhost-worker").size() == 2; }));
  EXPECT_THAT(httpd.running("pyhost-worker"), testing::IsSupersetOf(worker));
}

TEST(NewSupervisor, TakesOverFromOneThatIsToldToEnd) {
  Httpd httpd(group("a", "graceful-timeout=60"));
  ASSERT_EQ(httpd.get("/a").status, 200);
  for (const char* text : {"PH0357", "PH0356"}) httpd.tolerate_log(text);
  const pid_t before = httpd.running("pyhost-supervisor").at(0);
  kill(before, SIGTERM);
  httpd.graceful();
  EXPECT_TRUE(serves(httpd, "/a"));
  EXPECT_TRUE(wait_until([&] {
    const auto now = httpd.running("pyhost-supervisor");
    return now.size() == 1 && now.front() != before;
  }));
}

// --- A restart that is refused ---

TEST(RefusedRestart, LeavesHttpdRunningWhenItBringsTheFirstGroup) {
  Httpd httpd(kInclude + "Alias /static ${APPS}/perils.wsgi\n");
  EXPECT_EQ(httpd.get("/static").status, 200);
  httpd.write_file(kGroupsFile, group("a", "home=/no/such/folder"));
  httpd.expect_log("PH0356");
  restart_with_more(httpd);
  EXPECT_THAT(httpd.log(),
              HasSubstr("WSGIDaemonProcess a: home=/no/such/folder cannot be entered"));
  EXPECT_EQ(httpd.get("/static").status, 200);
  httpd.write_file(kGroupsFile, group("a"));
  restart_with_more(httpd);
  EXPECT_TRUE(serves(httpd, "/a"));
}

TEST(RefusedRestart, LeavesHttpdRunningForAUserThatIsNotThere) {
  Httpd httpd(kInclude + group("a"));
  EXPECT_EQ(httpd.get("/a").status, 200);
  httpd.write_file(kGroupsFile, group("b", "user=nobody-here"));
  httpd.expect_log("PH0356: WSGIDaemonProcess b: there is no user nobody-here");
  httpd.graceful();
  EXPECT_EQ(httpd.get("/a").status, 200);
}

// --- Files of a group's own user ---

constexpr char kShowsSecret[] =
    "import os\n"
    "def application(environ, start_response):\n"
    "    start_response('200 OK', [])\n"
    "    return [os.environ.get('PASSWORD', 'none').encode()]\n";

std::string shop(const std::string& options) {
  return kInclude + "WSGIDaemonProcess shop threads=2 graceful-timeout=1 shutdown-timeout=1 " +
         options +
         "\n"
         "WSGIScriptAlias / ${ROOT}/shop.wsgi process-group=shop\n"
         "<Location />\n  Require all granted\n</Location>\n";
}

// What the user of a group makes of a file of theirs.
struct Trick {
  const char* name;
  const char* command;  // of a shell: $1 is the file, $2 one that only root may read
  const char* complaint;
};

class TrickedFile : public testing::TestWithParam<Trick> {
 protected:
  // Lets httpd's own user, as whom the group runs, play the trick, and restarts httpd.
  void restart_behind_trick(Httpd& httpd, const std::string& file) const {
    const std::string secret = httpd.write_file("secret", "PASSWORD=root's\n");
    ASSERT_EQ(chmod(secret.c_str(), 0600), 0);
    const CommandResult played = run_as_server_user(
        {"/bin/sh", "-c", std::string("rm -f \"$1\"; ") + GetParam().command, "sh", file, secret});
    ASSERT_TRUE(played.ok()) << played;
    // A group that is new is not kept out by it.
    httpd.write_file(kGroupsFile, group("new"));
    httpd.expect_log("PH0421: WSGIDaemonProcess shop: ");
    restart_with_more(httpd);
    EXPECT_THAT(httpd.log(), HasSubstr(GetParam().complaint));
    EXPECT_TRUE(serves(httpd, "/new"));
    EXPECT_EQ(httpd.get("/").body, "shop's");
  }
};

TEST_P(TrickedFile, AsEnvFileNeitherHoldsARestartUpNorTellsSecrets) {
  if (geteuid() != 0) GTEST_SKIP() << "needs files of root";
  Httpd httpd(shop("env-file=${ROOT}/own/env"),
              {.files = {{"shop.wsgi", kShowsSecret}, {"own/env", "PASSWORD=shop's\n"}}});
  EXPECT_EQ(httpd.get("/").body, "shop's");
  restart_behind_trick(httpd, httpd.make_writable("own") + "/env");
}

TEST_P(TrickedFile, AsVirtualEnvironmentHoldsNoRestartUp) {
  if (geteuid() != 0) GTEST_SKIP() << "needs files of root";
  const TempDir folder;
  const std::string home = folder.make_writable("home") + "/venv";
  const CommandResult made =
      run_as_server_user({"/usr/bin/python3", "-m", "venv", "--without-pip", home});
  ASSERT_TRUE(made.ok()) << made;
  Httpd httpd(shop("env=PASSWORD=shop's python-home=" + home),
              {.files = {{"shop.wsgi", kShowsSecret}}});
  // Its new workers find no Python any more, or wait for it.
  for (const char* text : {"PH0406", "PH0408", "Exception ignored error evaluating path",
                           "Traceback", "<frozen getpath>", "MemoryError"}) {
    httpd.tolerate_log(text);
  }
  EXPECT_EQ(httpd.get("/").body, "shop's");
  restart_behind_trick(httpd, home + "/pyvenv.cfg");
}

INSTANTIATE_TEST_SUITE_P(
    By, TrickedFile,
    testing::Values(Trick{"Fifo", "mkfifo \"$1\"", "it is no regular file"},
                    Trick{"EndlessFile", "ln -s /dev/zero \"$1\"", "it is no regular file"},
                    Trick{"LargeFile", "head -c 3000000 /dev/zero > \"$1\"", "it is larger than"},
                    Trick{"LinkToASecret", "ln -s \"$2\" \"$1\"", "Permission denied"}),
    [](const auto& info) { return info.param.name; });

TEST(ConfigTest, FindsAFileThatIsNone) {
  const TempDir folder;
  const std::string file = folder.path() + "/env";
  ASSERT_EQ(mkfifo(file.c_str(), 0644), 0);
  const ConfigCheck check = check_config("WSGIDaemonProcess shop env-file=" + file + "\n");
  EXPECT_FALSE(check.ok());
  EXPECT_THAT(check.output, AllOf(HasSubstr("PH0355"), HasSubstr("it is no regular file")));
}

// --- Whoever is stuck ---

constexpr char kFloods[] =
    "import os\n"
    "def application(environ, start_response):\n"
    "    if environ['QUERY_STRING']:\n"
    "        os.write(2, b'y' * 300000)\n"
    "    start_response('200 OK', [])\n"
    "    return [b'well']\n";

// A log that nobody reads, a worker that does not run and a filesystem that does not answer, each
// of another group.
TEST(Stuck, OnesHoldUpNoOther) {
  const DeadDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << "needs root and FUSE";
  Httpd httpd(kInclude + group("other") +
                  group("stopped", "graceful-timeout=1 shutdown-timeout=1 reload-on=" +
                                       disk.path() + "/app/*.py") +
                  "<VirtualHost *:*>\n</VirtualHost>\n"
                  "<VirtualHost *:*>\n"
                  "  ServerName noisy\n"
                  "  ErrorLog \"|/bin/sleep 1000\"\n"
                  "  WSGIDaemonProcess noisy threads=2 graceful-timeout=1 shutdown-timeout=1\n"
                  "  WSGIScriptAlias / ${ROOT}/floods.wsgi process-group=noisy\n"
                  "  <Location />\n    Require all granted\n  </Location>\n"
                  "</VirtualHost>\n",
              {.files = {{"floods.wsgi", kFloods}}});
  const auto operate = [&httpd](const std::string& command, const std::string& name) {
    return run_command({PYHOST_TEST_PROGRAM, command, name, "--server-root", httpd.root()});
  };
  for (const char* path : {"/other", "/stopped"}) ASSERT_EQ(httpd.get(path).status, 200);
  const Headers noisy = {{"Host", "noisy"}};
  ASSERT_EQ(httpd.request({.path = "/", .headers = noisy}).body, "well");
  const auto pid_of = [&httpd](const char* path) {
    return std::stoi(httpd.get(path).header("x-pid").value_or("0"));
  };
  const pid_t stopped = pid_of("/stopped"), other = pid_of("/other");
  ASSERT_GT(stopped, 0);

  // Three workers: the one that is neither of these is the noisy one.
  auto flooding = httpd.running("pyhost-worker");
  std::erase_if(flooding, [&](pid_t pid) { return pid == stopped || pid == other; });
  ASSERT_THAT(flooding, testing::SizeIs(1));
  EXPECT_EQ(
      httpd.request({.path = "/?1", .headers = noisy, .timeout = std::chrono::seconds(1)}).status,
      0);
  for (const char* text : {"PH0407", "PH0408", "PH0450", "PH0460"}) httpd.tolerate_log(text);
  kill(flooding.front(), SIGKILL);
  kill(stopped, SIGSTOP);
  httpd.write_file(kGroupsFile, group("dead", "home=" + disk.path() + "/app"));
  httpd.expect_log("PH0356: WSGIDaemonProcess dead: ");
  kill(httpd.pid(), SIGUSR1);

  const CommandResult reloaded = operate("reload", "other");
  EXPECT_TRUE(reloaded.ok()) << reloaded;
  EXPECT_TRUE(serves(httpd, "/other"));
  EXPECT_NE(pid_of("/other"), other);
  httpd.wait_for_log("PH0356");
  kill(stopped, SIGCONT);
  EXPECT_TRUE(serves(httpd, "/stopped"));
}

// --- What other modules fork off ---

// The inodes of the sockets of the kind that only the channel to the supervisor is of.
std::set<std::string> packet_sockets_of(pid_t pid) {
  std::set<std::string> packet_sockets;
  std::istringstream table(read_file("/proc/net/unix"));
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::array<std::string, 7> word;
    for (std::string& each : word) words >> each;
    if (word[4] == "0005") packet_sockets.insert("socket:[" + word[6] + "]");
  }
  std::set<std::string> own;
  for (const std::string& each : descriptors_of(pid)) {
    for (const std::string& name : packet_sockets) {
      if (each.find(name) != each.npos) own.insert(name);
    }
  }
  return own;
}

TEST(ControlChannel, IsHeldByHttpdsParentAlone) {
  Httpd httpd(
      "LoadModule cgid_module /usr/lib/apache2/modules/mod_cgid.so\n"
      "ScriptSock ${ROOT}/cgid\n" +
      group("a"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(packet_sockets_of(httpd.pid()), testing::SizeIs(1));
    EXPECT_TRUE(wait_until([&] {
      return std::ranges::all_of(httpd.running("apache2"), [&](pid_t pid) {
        return pid == httpd.pid() || packet_sockets_of(pid).empty();
      });
    }));
    httpd.graceful();
  }
}

}  // namespace
}  // namespace pyhost::test
