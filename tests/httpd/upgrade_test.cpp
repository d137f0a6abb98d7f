// Another build of the module comes with a graceful restart, as with the upgrade of a package.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "harness/command.h"
#include "harness/process.h"
#include "httpd/waiting_requests.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::string_view kBuild = TEST_BUILD_ID;

// Two builds, and a link to the one that is installed. They differ in what they say of themselves.
class Installation {
 public:
  Installation() {
    fs::create_directory(path_of("old"));
    fs::create_directory(path_of("new"));
    fs::create_directory(path_of("kept"));
    for (const auto& file : fs::directory_iterator(fs::path(TEST_MODULE).parent_path())) {
      const std::string name = file.path().filename();
      if (name != "mod_pyhost.so" && !name.starts_with("pyhost-")) continue;
      fs::copy(file, path_of("old/" + name));
      fs::copy(file, path_of("kept/" + name));
      std::string bytes = read_file(file.path());
      rename_build(bytes);
      std::ofstream(path_of("new/" + name), std::ios::binary) << bytes;
      fs::permissions(path_of("new/" + name), fs::status(file).permissions());
    }
    fs::create_symlink("old", path_of("installed"));
  }

  std::string load_module() const {
    return "LoadModule wsgi_module " + path_of("installed/mod_pyhost.so") + "\n";
  }
  void upgrade() const {
    fs::create_symlink("new", path_of("next"));
    fs::rename(path_of("next"), path_of("installed"));
  }
  // Of the one that is installed first, as by a package manager that has not come further.
  void replace(const std::string& program) const { put("new", program); }
  void put_back(const std::string& program) const { put("kept", program); }

 private:
  std::string path_of(const std::string& file) const { return folder_.path() + "/" + file; }

  void put(const std::string& from, const std::string& program) const {
    fs::copy(path_of(from + "/" + program), path_of("next"));
    fs::rename(path_of("next"), path_of("old/" + program));
  }

  static void rename_build(std::string& bytes) {
    std::string other(kBuild);
    std::reverse(other.begin(), other.end());
    for (auto at = bytes.find(kBuild); at != bytes.npos; at = bytes.find(kBuild, at + 1)) {
      bytes.replace(at, kBuild.size(), other);
    }
  }

  const TempDir folder_;
};

constexpr char kGroups[] =
    "WSGIDaemonProcess site threads=1\n"
    "WSGIScriptAlias / ${APPS}/sleeps.wsgi process-group=site\n";

class Upgrade : public testing::Test {
 protected:
  pid_t supervisor(const Httpd& httpd) const {
    const auto running = httpd.running("pyhost-supervisor");
    return running.size() == 1 ? running.front() : 0;
  }

  // Nothing of its environment says whose it is.
  static pid_t lookout_of(pid_t supervisor) {
    const std::string pid = std::to_string(supervisor);
    std::istringstream children(read_file("/proc/" + pid + "/task/" + pid + "/children"));
    for (pid_t child; children >> child;) {
      if (program_of(child) == "pyhost-lookout") return child;
    }
    return 0;
  }

  CommandResult operate(const Httpd& httpd, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), PYHOST_TEST_PROGRAM);
    arguments.insert(arguments.end(), {"--server-root", httpd.root()});
    return run_command(arguments);
  }

  const Installation installation_;
};

TEST_F(Upgrade, LosesNoRequestThatWaits) {
  Httpd httpd(installation_.load_module() + kGroups, {.wsgi_module = WsgiModule::absent});
  EXPECT_EQ(httpd.get("/").status, 200);
  const pid_t before = supervisor(httpd);
  {
    const WaitingRequests waiting(httpd);
    installation_.upgrade();
    restart_with_other_descriptors(httpd);
    EXPECT_EQ(httpd.get("/").status, 200);
  }
  EXPECT_THAT(httpd.log(), HasSubstr("PH0362"));
  // The one of before leaves with the last child that knew its workers.
  EXPECT_TRUE(wait_until([&] {
    const pid_t now = supervisor(httpd);
    return now != 0 && now != before;
  }));
  EXPECT_TRUE(wait_until([&] { return httpd.running("pyhost-worker").size() == 1; }));
  EXPECT_EQ(httpd.get("/").status, 200);
  EXPECT_TRUE(wait_until([&] { return operate(httpd, {"reload", "site"}).ok(); }));
  restart_with_other_descriptors(httpd);
  EXPECT_EQ(httpd.get("/").status, 200);
}

TEST_F(Upgrade, EndsBothSupervisorsWithHttpd) {
  Httpd httpd(installation_.load_module() + kGroups, {.wsgi_module = WsgiModule::absent});
  const WaitingRequests waiting(httpd);
  installation_.upgrade();
  restart_with_other_descriptors(httpd);
  EXPECT_TRUE(wait_until([&] { return httpd.running("pyhost-supervisor").size() == 2; }));
}

TEST_F(Upgrade, ServesAllButTheGroupsThatCannotStart) {
  if (geteuid() != 0) GTEST_SKIP() << "only another user can be shut out";
  Httpd httpd(installation_.load_module() + "Include ${ROOT}/groups.conf\nAlias /scripts ${APPS}\n",
              {.files = {{"groups.conf", kGroups}}, .wsgi_module = WsgiModule::absent});
  const std::string home = httpd.root() + "/home";
  ASSERT_EQ(::mkdir(home.c_str(), 0700), 0);
  {
    const WaitingRequests waiting(httpd);
    installation_.upgrade();
    httpd.write_file("groups.conf",
                     kGroups + std::string("WSGIDaemonProcess bad home=") + home + "\n");
    httpd.expect_log("PH0356");
    restart_with_other_descriptors(httpd);
    EXPECT_THAT(httpd.log(), HasSubstr("cannot be entered"));
  }
  EXPECT_EQ(httpd.get("/").status, 200);
  httpd.write_file("groups.conf", kGroups);
  restart_with_other_descriptors(httpd);
  EXPECT_TRUE(wait_until([&] { return httpd.get("/").status == 200; }));
  EXPECT_TRUE(wait_until([&] { return httpd.running("pyhost-supervisor").size() == 1; }));
}

TEST_F(Upgrade, LeavesAGroupStoppedThatAnOperatorHasStopped) {
  Httpd httpd(installation_.load_module() + kGroups, {.wsgi_module = WsgiModule::absent});
  httpd.expect_log("PH0462");
  httpd.tolerate_log("sleeps for");
  EXPECT_TRUE(operate(httpd, {"stop", "site"}).ok());
  installation_.upgrade();
  restart_with_other_descriptors(httpd);
  EXPECT_EQ(httpd.get("/").status, 503);
  EXPECT_TRUE(wait_until([&] { return operate(httpd, {"start", "site"}).ok(); }));
  EXPECT_EQ(httpd.get("/").status, 200);
}

TEST_F(Upgrade, ThatHasReplacedTheWorkersProgramAloneIsAFailedStart) {
  Httpd httpd(installation_.load_module() + kGroups, {.wsgi_module = WsgiModule::absent});
  EXPECT_EQ(httpd.get("/").status, 200);
  const auto workers = httpd.running("pyhost-worker");
  ASSERT_EQ(workers.size(), 1u);
  installation_.replace("pyhost-worker");
  httpd.tolerate_log("sleeps for");
  // The failed start, twice, and the end of the worker before it.
  for (const char* id : {"PH0406", "PH0407"}) httpd.expect_log(id);
  ::kill(workers.front(), SIGKILL);
  const std::string sentence = "pyhost-worker is of build " +
                               std::string(kBuild.rbegin(), kBuild.rend()) +
                               ", pyhost-supervisor of build " + std::string(kBuild) +
                               "; the programs have been replaced while httpd runs: restart httpd";
  httpd.wait_for_log("could not start: " + sentence);
  installation_.put_back("pyhost-worker");
  EXPECT_TRUE(wait_until([&] { return httpd.get("/").status == 200; }));
}

TEST_F(Upgrade, ThatHasReplacedTheLookoutAloneIsLogged) {
  Httpd httpd(installation_.load_module() +
                  "WSGIDaemonProcess site threads=1 reload-on=${ROOT}/watched/*.py\n"
                  "WSGIScriptAlias / ${APPS}/sleeps.wsgi process-group=site\n",
              {.wsgi_module = WsgiModule::absent});
  ASSERT_TRUE(wait_until([&] { return lookout_of(supervisor(httpd)) != 0; }));
  const pid_t lookout = lookout_of(supervisor(httpd));
  installation_.replace("pyhost-lookout");
  httpd.tolerate_log("sleeps for");
  httpd.expect_log("pyhost-lookout");
  ::kill(lookout, SIGKILL);
  httpd.wait_for_log("pyhost-lookout is of build ");
  EXPECT_EQ(httpd.get("/").status, 200);
}

TEST(WorkerOfAnotherBuild, IsToldFromItsFirstWordAndAskedNothing) {
  Httpd httpd(
      "WSGIDaemonProcess site threads=1\n"
      "WSGIScriptAlias / ${APPS}/foreign.wsgi process-group=site\n");
  EXPECT_EQ(httpd.get("/").body, "of one build");
  for (const char* text : {"PH0469", "answered with 0 bytes"}) httpd.expect_log(text);
  EXPECT_EQ(httpd.get("/").status, 503);
  httpd.wait_for_log("answered with 0 bytes");
  EXPECT_THAT(httpd.log(), AllOf(HasSubstr("is of build 0.9-other, and httpd's module of build " +
                                           std::string(kBuild)),
                                 HasSubstr("foreign.wsgi was not run")));
}

}  // namespace
}  // namespace pyhost::test
