// Resources of the system that run out: only the request that needs them fails, and it says why.

#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "harness/command.h"
#include "harness/httpd.h"
#include "httpd/held_requests.h"

namespace pyhost::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// How many processes the user of what a process starts may have. Taken back at the end.
class ProcessLimit {
 public:
  ProcessLimit(pid_t pid, rlim_t value) : pid_(pid) {
    prlimit(pid, RLIMIT_NPROC, nullptr, &before_);
    const rlimit limit{.rlim_cur = value, .rlim_max = before_.rlim_max};
    EXPECT_EQ(prlimit(pid, RLIMIT_NPROC, &limit, nullptr), 0) << std::strerror(errno);
  }
  ProcessLimit(const ProcessLimit&) = delete;
  ProcessLimit& operator=(const ProcessLimit&) = delete;
  ~ProcessLimit() { prlimit(pid_, RLIMIT_NPROC, &before_, nullptr); }

 private:
  const pid_t pid_;
  rlimit before_{};
};

// Lets a process of the server's user open no descriptor any more, or only a few, until the end of
// its scope.
class NoMoreDescriptors {
 public:
  explicit NoMoreDescriptors(pid_t pid, rlim_t but = 0) : pid_(pid) {
    getrlimit(RLIMIT_NOFILE, &own_);
    set(first_free() + but);
  }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;
  // httpd and all that it starts have inherited the limit of the test.
  ~NoMoreDescriptors() { set(own_.rlim_cur); }

 private:
  // The number that the next one would get.
  rlim_t first_free() const {
    const std::string folder = "/proc/" + std::to_string(pid_) + "/fd/";
    rlim_t number = 0;
    while (std::filesystem::is_symlink(folder + std::to_string(number))) ++number;
    return number;
  }
  // Only the user whose process it is may do that everywhere.
  void set(rlim_t value) const {
    const CommandResult result =
        run_as_server_user({"/usr/bin/prlimit", "--pid=" + std::to_string(pid_),
                            "--nofile=" + std::to_string(value) + ":"});
    EXPECT_TRUE(result.ok()) << result;
  }

  const pid_t pid_;
  rlimit own_{};
};

// A folder on a disk of its own.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& size) : path_(folder_.make_writable("disk")) {
    mounted_ = mount("tmpfs", path_.c_str(), "tmpfs", 0, ("mode=1777,size=" + size).c_str()) == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) umount2(path_.c_str(), MNT_DETACH);
  }

  bool mounted() const noexcept { return mounted_; }
  const std::string& path() const noexcept { return path_; }

 private:
  const TempDir folder_;
  const std::string path_;
  bool mounted_ = false;
};

std::string config(const std::string& options) {
  return "WSGIDaemonProcess g " + options +
         "\n"
         "WSGIProcessGroup g\n"
         "WSGIApplicationGroup %{GLOBAL}\n"
         "WSGIScriptAlias /sum ${APPS}/uploads.wsgi/sum\n"
         "WSGIScriptAlias /patience ${APPS}/patience.wsgi\n"
         "WSGIScriptAlias / ${APPS}/perils.wsgi\n";
}

// One httpd child, which every request meets.
constexpr int kOneChild = 1;

pid_t child_of(const Httpd& httpd) {
  std::vector<pid_t> pids = httpd.running("apache2");
  std::erase(pids, httpd.pid());
  return pids.at(0);
}

class FullDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (!disk_.mounted()) GTEST_SKIP() << "mounting a filesystem needs root";
  }

  const SmallDisk disk_{"1m"};
};

TEST_F(FullDisk, FailsOnlyTheUploadThatDoesNotFit) {
  Httpd httpd(config("threads=2"), {.environment = {{"TMPDIR", disk_.path()}}});
  const std::string large(3'000'000, 'x');
  const Response refused = httpd.request({.method = "POST", .path = "/sum", .body = large});
  EXPECT_EQ(refused.status, 503) << refused;
  EXPECT_TRUE(refused.header("retry-after"));
  httpd.expect_log("PH0458");
  EXPECT_THAT(httpd.log(), HasSubstr("No space left on device"));
  const std::string small(500'000, 'x');
  EXPECT_EQ(httpd.request({.method = "POST", .path = "/sum", .body = small}).status, 200);
  EXPECT_EQ(httpd.get("/").status, 200);
}

TEST_F(FullDisk, DoesNotHarmAReplyToASlowClient) {
  constexpr std::size_t kReplyBytes = 20'000'000;
  Httpd httpd(config("threads=2 response-buffer-size=64M"),
              {.environment = {{"TMPDIR", disk_.path()}}});
  httpd.expect_log("PH0458");
  RawConnection slow = httpd.connect();
  slow.send("GET /patience/large?400 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  slow.read_until("xxx");
  httpd.wait_for_log("PH0458");
  EXPECT_EQ(httpd.get("/").status, 200);
  const std::string reply = slow.read_all();
  EXPECT_GT(reply.size(), kReplyBytes);
  EXPECT_THAT(reply.substr(reply.size() - 5), "0\r\n\r\n");
}

TEST(NoDescriptors, InAChildFailOnlyTheRequestThatNeedsOne) {
  Httpd httpd(config("threads=2 connect-timeout=1"), {.processes = kOneChild});
  httpd.wait_for_log("PH0404");
  HttpClient client = httpd.client();
  {
    const pid_t child = child_of(httpd);
    EXPECT_EQ(client.get("/").status, 200);
    // The connection to the worker is kept; an upload needs a file as well.
    const NoMoreDescriptors none(child);
    EXPECT_EQ(client.get("/").status, 200);
    const Response refused =
        client.request({.method = "POST", .path = "/sum", .body = std::string(200'000, 'x')});
    EXPECT_EQ(refused.status, 503) << refused;
    httpd.expect_log("PH0458");
    EXPECT_THAT(httpd.log(), HasSubstr("Too many open files"));
  }
  EXPECT_EQ(
      httpd.request({.method = "POST", .path = "/sum", .body = std::string(200'000, 'x')}).status,
      200);
}

TEST(NoDescriptors, InAWorkerRefuseOnlyNewConnections) {
  Httpd httpd(config("threads=2 connect-timeout=2"), {.processes = kOneChild});
  httpd.wait_for_log("PH0404");
  const std::string folder = httpd.make_writable("held");
  EXPECT_EQ(httpd.get("/").status, 200);
  const pid_t worker = httpd.running("pyhost-worker").at(0);
  {
    // A request that has the one connection, and the application the last descriptor.
    const HeldRequests held(httpd, folder, 1);
    EXPECT_TRUE(held.all_run());
    const NoMoreDescriptors none(worker);
    EXPECT_EQ(httpd.get("/").status, 503);
    httpd.expect_log("PH0485");
    httpd.expect_log("PH0454");
  }
  EXPECT_EQ(httpd.get("/").status, 200);
  EXPECT_EQ(httpd.running("pyhost-worker").at(0), worker);
}

TEST(NoDescriptors, AreLeftIdleWhileAnyChildNeedsOne) {
  constexpr int kChildren = 12;
  constexpr int kRequests = 100;
  const Httpd httpd(config("threads=3"), {.mpm = Mpm::prefork, .processes = kChildren});
  httpd.wait_for_log("PH0404");
  EXPECT_EQ(httpd.get("/").status, 200);
  const NoMoreDescriptors few(httpd.running("pyhost-worker").at(0), 4);
  // One child for each of them, as they keep their connections.
  std::vector<HttpClient> clients;
  for (int i = 0; i < kChildren; ++i) clients.push_back(httpd.client());
  for (int round = 0; round < 3; ++round) {
    for (HttpClient& client : clients) EXPECT_EQ(client.get("/").status, 200);
  }
  std::atomic<int> lost = 0;
  {
    std::vector<std::jthread> threads;
    for (HttpClient& client : clients) {
      threads.emplace_back([&] {
        for (int i = 0; i < kRequests; ++i) lost += client.get("/").status != 200;
      });
    }
  }
  EXPECT_EQ(lost, 0);
}

TEST(NoProcesses, KeepAGroupDownWithItsCauseUntilThereAreSome) {
  if (geteuid() != 0) GTEST_SKIP() << "another user's limit needs root";
  Httpd httpd(config("threads=2 connect-timeout=1"));
  httpd.wait_for_log("PH0404");
  EXPECT_EQ(httpd.get("/").status, 200);
  for (const char* text : {"PH0406", "PH0407", "PH0450", "PH0454"}) httpd.expect_log(text);
  {
    const ProcessLimit none(httpd.running("pyhost-supervisor").at(0), 0);
    EXPECT_EQ(httpd.get("/exit").status, 502);
    EXPECT_EQ(httpd.get("/").status, 503);
    httpd.wait_for_log("PH0406");
    EXPECT_THAT(httpd.log(), HasSubstr("Resource temporarily unavailable"));
  }
  httpd.tolerate_log("PH0454");
  EXPECT_TRUE(wait_until([&] { return httpd.get("/").status == 200; }));
}

// --- A log that nobody reads ---

TEST(BlockedLog, HoldsUpOnlyWhoWritesToIt) {
  constexpr char kNoise[] =
      "def application(environ, start_response):\n"
      "    for _ in range(int(environ['QUERY_STRING'] or 0)):\n"
      "        print('noise' * 200, file=environ['wsgi.errors'])\n"
      "    start_response('200 OK', [])\n"
      "    return [b'well']\n";
  // The main server's log is the one that is read.
  Httpd httpd(config("threads=2") +
                  "<VirtualHost *:*>\n</VirtualHost>\n"
                  "<VirtualHost *:*>\n"
                  "  ServerName noisy\n"
                  "  ErrorLog \"|/bin/sleep 1000\"\n"
                  "  WSGIDaemonProcess noisy threads=2 shutdown-timeout=1\n"
                  "  WSGIScriptAlias / ${ROOT}/noise.wsgi process-group=noisy\n"
                  "  <Location />\n    Require all granted\n  </Location>\n"
                  "</VirtualHost>\n",
              {.files = {{"noise.wsgi", kNoise}}});
  const Headers noisy = {{"Host", "noisy"}};
  EXPECT_EQ(httpd.request({.path = "/", .headers = noisy}).body, "well");
  const Response blocked = httpd.request({.path = "/?1000", .headers = noisy, .timeout = 1s});
  EXPECT_EQ(blocked.status, 0);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(httpd.get("/").status, 200);
  // httpd's own threads wait for the log too, and httpd ends a child that waits after ten seconds.
  httpd.tolerate_log("still did not exit, sending a SIG");
  const auto begun = std::chrono::steady_clock::now();
  httpd.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 20s);
}

}  // namespace
}  // namespace pyhost::test
