// What the client and the log are told when a worker fails a request.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "harness/error_log.h"
#include "harness/httpd.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::MatchesRegex;

std::string config(const std::string& options) {
  return "WSGIDaemonProcess g " + options +
         "\n"
         "WSGIScriptAlias / ${APPS}/perils.wsgi process-group=g\n";
}

// The one line with this id, which the audit then lets pass.
std::string only_line(Httpd& httpd, const std::string& id) {
  httpd.wait_for_log(id);
  httpd.expect_log(id);
  std::vector<std::string> lines;
  for (const ErrorLogLine& line : parse_error_log(httpd.log())) {
    if (line.text.find(id) != std::string::npos) lines.push_back(line.text);
  }
  EXPECT_EQ(lines.size(), 1u) << testing::PrintToString(lines);
  return lines.front();
}

// The end of a line that names everything about the worker that had the request.
std::string worker_of_request(const Httpd& httpd, pid_t pid, const std::string& generation) {
  return ".*, [0-9]+\\.[0-9]+ s after the request for " + httpd.app("perils.wsgi") +
         " began \\(process group 'g', slot 0, pid " + std::to_string(pid) + ", generation " +
         generation + "\\).*";
}

pid_t worker_pid(const Httpd& httpd) {
  const Response reply = httpd.get("/");
  EXPECT_EQ(reply.status, 200) << reply;
  return std::stoi(reply.header("x-pid").value_or("0"));
}

void expect_service(const Httpd& httpd) {
  const Response reply = httpd.get("/");
  EXPECT_EQ(reply.status, 200) << reply;
}

// --- The worker ends ---

struct End {
  const char* path;
  const char* words;
};

class WorkerEnd : public testing::TestWithParam<End> {};

TEST_P(WorkerEnd, BeforeTheReplyIs502WithItsCause) {
  // In an instrumented build, so that the signal is the kernel's to handle.
  Httpd httpd(config("threads=2 env=ASAN_OPTIONS=detect_leaks=0:handle_segv=0"));
  const pid_t pid = worker_pid(httpd);
  EXPECT_EQ(httpd.get(GetParam().path).status, 502);
  const std::string line = only_line(httpd, "PH0450");
  EXPECT_THAT(line,
              HasSubstr(std::string("the worker ") + GetParam().words + " before it replied"));
  EXPECT_THAT(line, MatchesRegex(worker_of_request(httpd, pid, "1")));
  EXPECT_THAT(only_line(httpd, "PH0407"),
              HasSubstr(fmt::format("worker 0 of process group 'g' (pid {}, generation 1)", pid)));
  expect_service(httpd);
}

INSTANTIATE_TEST_SUITE_P(By, WorkerEnd,
                         testing::Values(End{"/signal/SIGSEGV",
                                             "was killed by signal 11 (SIGSEGV)"},
                                         End{"/signal/SIGKILL", "was killed by signal 9 (SIGKILL)"},
                                         End{"/exit", "exited with code 3"}),
                         [](const auto& info) {
                           const std::string path = info.param.path;
                           return path.substr(path.rfind('/') + 1);
                         });

TEST(WorkerEndMidStream, CutsTheReplyOff) {
  Httpd httpd(config("threads=2"));
  const pid_t pid = worker_pid(httpd);
  const Response reply = httpd.get("/stream/exit");
  EXPECT_EQ(reply.status, 200);
  EXPECT_FALSE(reply.complete());
  EXPECT_EQ(reply.body, "first ");
  EXPECT_THAT(only_line(httpd, "PH0450"),
              AllOf(HasSubstr("exited with code 3 while it sent the reply"),
                    MatchesRegex(worker_of_request(httpd, pid, "1"))));
  only_line(httpd, "PH0407");
  expect_service(httpd);
}

// --- The application fails ---

TEST(ApplicationFailure, BeforeTheHeadersIs500AndTheWorkerLives) {
  Httpd httpd(config("threads=2"));
  const pid_t pid = worker_pid(httpd);
  EXPECT_EQ(httpd.get("/raise").status, 500);
  EXPECT_THAT(
      only_line(httpd, "PH0174"),
      MatchesRegex(fmt::format(".*before the headers .*\\(process group 'g', slot 0, pid {}, "
                               "generation 1\\) \\[GET /raise\\].*",
                               pid)));
  EXPECT_EQ(worker_pid(httpd), pid);
}

// What administrators see, at a level that leaves the module's other records out.
TEST(ApplicationFailure, IsOneRecordThatNamesTheRequest) {
  for (const Place place : {Place::embedded, Place::daemon}) {
    Httpd httpd("WSGIScriptAlias / ${APPS}/perils.wsgi\n", {.place = place});
    EXPECT_EQ(httpd.get("/raise?secret").status, 500);
    EXPECT_THAT(only_line(httpd, "PH0174"), HasSubstr("[GET /raise]\\nTraceback"));
    EXPECT_THAT(httpd.log(), Not(HasSubstr("PH0457")));
    std::vector<std::string> failures;
    for (const ErrorLogLine& line : parse_error_log(httpd.log())) {
      if (line.level == "error" || line.level == "warn") failures.push_back(line.text);
    }
    EXPECT_EQ(failures.size(), 1u) << testing::PrintToString(failures);
  }
}

TEST(ApplicationFailure, OfAnExtensionNamesTheRequestToo) {
  Httpd httpd(config("threads=2"));
  EXPECT_EQ(httpd.get("/exit?" + std::string(5000, 'x')).status, 502);
  EXPECT_THAT(only_line(httpd, "PH0450"), testing::EndsWith("[GET /exit]"));
  only_line(httpd, "PH0407");
}

TEST(ApplicationFailure, OfAFileThatIsClosedNamesTheUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root closes files to others";
  Httpd httpd(
      "WSGIDaemonProcess g\nWSGIScriptAlias / ${ROOT}/closed.wsgi process-group=g\n"
      "<Directory ${ROOT}>\n  Require all granted\n</Directory>\n",
      {.files = {{"closed.wsgi", "application = None\n"}}});
  fs::permissions(httpd.root() + "/closed.wsgi", fs::perms::owner_all);
  EXPECT_EQ(httpd.get("/").status, 500);
  EXPECT_THAT(only_line(httpd, "PH0105"),
              HasSubstr("/closed.wsgi could not be imported: the file cannot be read by user " +
                        std::string(kServerUser) + ": Permission denied"));
}

TEST(ApplicationFailure, ByALimitInTimeIsASentence) {
  Httpd httpd(config("threads=2 request-timeout=1 graceful-timeout=1 shutdown-timeout=1"));
  const std::string marks = httpd.make_writable("marks");
  for (const char* id : {"PH0405", "PH0406", "PH0407", "PH0481", "PH0478", "PH0408", "PH0306"}) {
    httpd.tolerate_log(id);
  }
  EXPECT_EQ(httpd.get("/wait?" + marks + "/never").status, 504);
  EXPECT_THAT(only_line(httpd, "PH0480"), HasSubstr("[GET /wait]"));
  std::ofstream(marks + "/never");
}

TEST(ApplicationFailure, MidStreamCutsTheReplyOffAndTheWorkerLives) {
  Httpd httpd(config("threads=2"));
  const pid_t pid = worker_pid(httpd);
  const Response reply = httpd.get("/stream");
  EXPECT_EQ(reply.status, 200);
  EXPECT_FALSE(reply.complete());
  EXPECT_THAT(only_line(httpd, "PH0174"), HasSubstr("broken on purpose"));
  EXPECT_EQ(worker_pid(httpd), pid);
}

// --- There is no worker ---

// A copy of all that is installed, which can be damaged.
class Installation {
 public:
  Installation() {
    for (const auto& file : fs::directory_iterator(fs::path(TEST_MODULE).parent_path())) {
      const std::string name = file.path().filename();
      if (name == "mod_pyhost.so" || name.starts_with("pyhost-")) fs::copy(file, folder_.path());
      if (name.starts_with("pyhost-cpython-")) plugin_ = name;
    }
  }

  std::string load_module() const {
    return "LoadModule wsgi_module " + folder_.path() + "/mod_pyhost.so\n";
  }
  void hide_plugin() const { fs::rename(path_of(plugin_), path_of("hidden")); }
  void show_plugin() const { fs::rename(path_of("hidden"), path_of(plugin_)); }

 private:
  std::string path_of(const std::string& file) const { return folder_.path() + "/" + file; }

  const TempDir folder_;
  std::string plugin_;
};

TEST(WorkerThatCannotStart, Is503WithItsCauseAndHealsByItself) {
  const Installation installation;
  Httpd httpd(installation.load_module() + config("threads=2 connect-timeout=1"),
              {.wsgi_module = WsgiModule::absent});
  httpd.wait_for_log("PH0404");
  expect_service(httpd);
  installation.hide_plugin();
  EXPECT_EQ(httpd.get("/exit").status, 502);
  only_line(httpd, "PH0450");
  only_line(httpd, "PH0407");
  const Response refused = httpd.get("/");
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.header("retry-after"));
  EXPECT_THAT(only_line(httpd, "PH0454"),
              AllOf(HasSubstr("no worker of process group 'g' could be reached within 1 s"),
                    HasSubstr(httpd.app("perils.wsgi") + " was not run")));
  httpd.wait_for_log("PH0406");
  httpd.expect_log("PH0406");
  EXPECT_THAT(httpd.log(),
              ContainsRegex("PH0406: worker 0 of process group 'g' .* could not start: "
                            ".* \\(.*/httpd\\.conf:[0-9]+\\)\n"));
  EXPECT_THAT(httpd.log(), Not(HasSubstr("PH0472"))) << "whoever is told says so";
  httpd.tolerate_log("PH0454");
  installation.show_plugin();
  EXPECT_TRUE(wait_until([&] { return httpd.get("/").status == 200; }));
}

// --- The worker is busy ---

class BusyWorker : public testing::Test {
 protected:
  ~BusyWorker() override { release(); }

  void start(const std::string& options) {
    httpd_.emplace(config(options));
    // Its start is not part of any limit.
    httpd_->wait_for_log("PH0404");
    marks_ = httpd_->make_writable("marks");
  }
  // Sends a request that runs until release().
  void occupy() {
    holder_ = std::jthread([this] { held_ = httpd_->get("/wait?" + marks_ + "/go"); });
    ASSERT_TRUE(wait_until([&] { return fs::exists(marks_ + "/go.begun"); }));
  }
  void release() {
    std::ofstream(marks_ + "/go");
    if (holder_.joinable()) holder_.join();
  }

  std::optional<Httpd> httpd_;
  std::string marks_;
  Response held_;
  std::jthread holder_;
};

TEST_F(BusyWorker, WithAFullQueueIs503AtOnce) {
  start("threads=1 queue=0");
  occupy();
  const Response refused = httpd_->get("/");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("retry-after"), "1");
  EXPECT_THAT(only_line(*httpd_, "PH0452"),
              AllOf(HasSubstr("all threads of process group 'g' are busy and 0 requests wait"),
                    HasSubstr(httpd_->app("perils.wsgi") + " was not run")));
  release();
  EXPECT_EQ(held_.status, 200) << held_;
  // The worker notes the end of a request behind the end of its reply.
  EXPECT_TRUE(wait_until([this] { return httpd_->get("/").status == 200; }));
}

TEST_F(BusyWorker, ForLongerThanQueueTimeoutIs504) {
  start("threads=1 queue-timeout=1");
  occupy();
  EXPECT_EQ(httpd_->get("/").status, 504);
  EXPECT_THAT(only_line(*httpd_, "PH0453"),
              AllOf(HasSubstr("all threads of process group 'g' are busy after 1 s of waiting"),
                    HasSubstr(httpd_->app("perils.wsgi") + " was not run")));
}

TEST_F(BusyWorker, ThatIsSilentForLongerThanSocketTimeoutIs504) {
  start("threads=2 socket-timeout=5");
  const pid_t pid = worker_pid(*httpd_);
  EXPECT_EQ(httpd_->get("/wait?" + marks_ + "/never").status, 504);
  EXPECT_THAT(only_line(*httpd_, "PH0451"),
              AllOf(HasSubstr("the worker gave no sign of life for 5 s before it replied"),
                    MatchesRegex(worker_of_request(*httpd_, pid, "1"))));
  std::ofstream(marks_ + "/never");
  EXPECT_EQ(worker_pid(*httpd_), pid);
}

}  // namespace
}  // namespace pyhost::test
