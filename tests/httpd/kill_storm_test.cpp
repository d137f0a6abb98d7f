// Processes of every kind that are killed under load.

#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>
#include <random>

#include "harness/error_log.h"
#include "harness/httpd.h"
#include "harness/soak.h"
#include "httpd/crowd.h"
#include "httpd/diary.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kConfig[] =
    "ErrorLogFormat \"[%{cu}t] [%-m:%l] [pid %P:tid %T] %M% request\\ %{X-Id}i\"\n"
    "WSGIDaemonProcess g processes=3 threads=5 shutdown-timeout=2\n"
    "WSGIScriptAlias /labour ${APPS}/labour.wsgi process-group=g application-group=%{GLOBAL}\n"
    "WSGIScriptAlias /sum ${APPS}/uploads.wsgi/sum process-group=g\n"
    "SetEnv DIARY ${ROOT}/diary/requests\n";

// The records of requests end with their identity.
std::ptrdiff_t records_with(const std::vector<ErrorLogLine>& log, std::string_view text,
                            std::string_view end) {
  return std::ranges::count_if(log, [&](const ErrorLogLine& line) {
    return line.text.find(text) != line.text.npos && line.text.ends_with(end);
  });
}

class KillStorm : public testing::Test {
 protected:
  static constexpr int kClients = 24;

  // PH0356: a supervisor is killed before it has taken its orders, or a worker before it has become
  // one.
  KillStorm() : diary_(httpd_.make_writable("diary") + "/requests") {
    for (const char* text : {"AH10392: children are killed successively", "PH0356", "PH0357",
                             "PH0406", "PH0407", "PH0450", "exit signal Killed (9)"}) {
      httpd_.tolerate_log(text);
    }
  }
  // Kills one of the processes; false when there is none at the moment.
  bool kill_one_of(std::vector<pid_t> pids) {
    std::erase(pids, httpd_.pid());
    if (pids.empty()) return false;
    return kill(pids[random_() % pids.size()], SIGKILL) == 0;
  }
  bool kill_anything() {
    // Workers are the most likely.
    constexpr const char* kPrograms[] = {"pyhost-worker", "pyhost-worker", "apache2", "apache2",
                                         "pyhost-supervisor"};
    return kill_one_of(httpd_.running(kPrograms[random_() % std::size(kPrograms)]));
  }

  Httpd httpd_{kConfig, default_mpm() == Mpm::prefork
                            ? Options{.processes = kClients}
                            : Options{.processes = 3, .threads = kClients}};
  const std::string diary_;
  std::mt19937 random_{1};
};

TEST_F(KillStorm, CostsOnlyWhatWasInsideKilledProcesses) {
  const auto storm = soaking() ? 60s : 8s;
  constexpr auto kPause = 150ms;
  Crowd crowd(httpd_, {.clients = kClients, .keep_connections = false});
  int kills = 0;
  constexpr int kKillsLeast = 10;
  for (const auto end = steady_clock::now() + storm;
       steady_clock::now() < end || kills < kKillsLeast;) {
    const int answered = crowd.answered();
    (void)wait_until([] { return false; }, kPause);
    // On a slow machine it would be processes that have not begun to serve.
    (void)wait_until([&] { return crowd.answered() > answered; }, 2s);
    kills += kill_anything() ? 1 : 0;
  }
  const auto last_kill = steady_clock::now();
  crowd.go_on(kClients);
  const auto recovery = steady_clock::now() - last_kill;
  crowd.finish();

  // A client of a killed child has nothing or a part of its reply; that of a killed worker has a
  // part too or is told, and the log has the cause.
  const std::vector<ErrorLogLine> log = parse_error_log(httpd_.log());
  int lost_in_workers = 0;
  for (const FailedReply& failure : crowd.failures()) {
    const bool told = failure.status == 502;
    EXPECT_TRUE(!failure.complete() || told) << failure;
    const auto causes = records_with(log, "PH0450: ", "request " + failure.id);
    EXPECT_LE(causes, 1) << failure.id;
    EXPECT_TRUE(causes == 1 || !told) << failure.id << ": " << failure;
    lost_in_workers += causes == 1 ? 1 : 0;
  }
  EXPECT_EQ(records_with(log, "PH0450: ", ""), lost_in_workers);
  EXPECT_GT(lost_in_workers, 0);
  EXPECT_THAT(Diary::read(diary_).repeated(), IsEmpty());
  EXPECT_TRUE(wait_until([&] {
    return httpd_.running("pyhost-worker").size() == 3 &&
           httpd_.running("pyhost-supervisor").size() == 1;
  }));
  RecordProperty("kills", kills);
  RecordProperty("requests", crowd.answered());
  RecordProperty("lost_in_children", static_cast<int>(crowd.failures().size()) - lost_in_workers);
  RecordProperty("lost_in_workers", lost_in_workers);
  RecordProperty("recovery_ms", static_cast<int>(recovery / 1ms));
}

// --- What killed processes leave ---

std::vector<std::string> files_in(const std::string& folder, const std::string& extension = "") {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const fs::path path = entry.path();
    if (extension.empty() || path.extension() == extension) files.push_back(path);
  }
  return files;
}

TEST(KilledProcess, LeavesNoFile) {
  const TempDir folder;
  const std::string temporary = folder.make_writable("temporary");
  Httpd httpd(kConfig, {.processes = default_mpm() == Mpm::prefork ? 4 : 1,
                        .environment = {{"TMPDIR", temporary}}});
  httpd.tolerate_log("exit signal Killed (9)");
  httpd.expect_log("PH0357");
  EXPECT_EQ(httpd.request({.method = "POST", .path = "/sum", .body = "x"}).status, 200);

  // In the middle of a body that has outgrown memory.
  RawConnection upload = httpd.connect();
  upload.send("POST /sum HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" +
              std::string(500'000, 'x'));
  const auto spooled = [&](pid_t pid) {
    return std::ranges::any_of(
        descriptors_of(pid), [&](const std::string& open) { return open.starts_with(temporary); });
  };
  std::vector<pid_t> children = httpd.running("apache2");
  std::erase(children, httpd.pid());
  EXPECT_TRUE(wait_until([&] { return std::ranges::any_of(children, spooled); }));
  for (const pid_t child : children) kill(child, SIGKILL);
  EXPECT_THAT(files_in(temporary), IsEmpty());

  const std::vector<pid_t> supervisors = httpd.running("pyhost-supervisor");
  ASSERT_THAT(supervisors, SizeIs(1));
  kill(supervisors.front(), SIGKILL);
  httpd.wait_for_log("PH0357");
  EXPECT_TRUE(wait_until([&] { return httpd.running("pyhost-worker").size() == 3; }));
  EXPECT_EQ(httpd.request({.method = "POST", .path = "/sum", .body = "x"}).status, 200);
  EXPECT_THAT(files_in(httpd.root(), ".sock"), SizeIs(3));

  httpd.crash();
  EXPECT_TRUE(wait_until([&] {
    return httpd.running("pyhost-worker").empty() && httpd.running("pyhost-supervisor").empty();
  }));
  EXPECT_THAT(files_in(httpd.root(), ".sock"), IsEmpty());
  EXPECT_THAT(files_in(temporary), IsEmpty());
}

}  // namespace
}  // namespace pyhost::test
