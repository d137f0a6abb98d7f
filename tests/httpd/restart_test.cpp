// Restarts of httpd while its worker processes are in use: nothing is lost, nothing is run twice,
// nothing is left behind.

#include <gmock/gmock.h>

#include "harness/httpd.h"
#include "harness/soak.h"
#include "httpd/crowd.h"
#include "httpd/diary.h"
#include "httpd/held_requests.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::IsEmpty;

constexpr char kConfig[] =
    "MaxKeepAliveRequests 0\n"
    "WSGIDaemonProcess g processes=2 threads=15 queue=400\n"
    "WSGIScriptAlias / ${APPS}/labour.wsgi process-group=g application-group=%{GLOBAL}\n"
    "SetEnv DIARY ${ROOT}/diary/requests\n";
constexpr int kWorkers = 2;

// A child of prefork serves one connection.
Options room_for(int clients) {
  if (default_mpm() == Mpm::prefork) return {.processes = clients, .processes_left = 200};
  return {.processes = 2, .threads = clients, .processes_left = 60};
}

class RestartUnderLoad : public testing::Test {
 protected:
  static constexpr int kPatientClients = 8;
  static int clients() { return default_mpm() == Mpm::prefork ? 24 : 100; }

  RestartUnderLoad() : diary_(httpd_.make_writable("diary") + "/requests") {
    // A worker that the next restart replaces while it still imports.
    httpd_.tolerate_log("PH0484");
  }

  // No request was given to an application twice, and each that was has been finished.
  void expect_each_run_once(std::size_t at_least, std::size_t at_most) const {
    Diary diary;
    EXPECT_TRUE(wait_until([&] {
      diary = Diary::read(diary_);
      return diary.begun == diary.ended;
    })) << diary.begun.size()
        << " requests were begun, " << diary.ended.size() << " ended";
    EXPECT_THAT(diary.repeated(), IsEmpty());
    EXPECT_GE(diary.begun.size(), at_least);
    EXPECT_LE(diary.begun.size(), at_most);
  }
  void expect_workers(std::size_t number) const {
    EXPECT_TRUE(wait_until([&] { return httpd_.running("pyhost-worker").size() == number; }));
  }

  Httpd httpd_{kConfig, room_for(clients() + kPatientClients)};
  const std::string diary_;
};

TEST_F(RestartUnderLoad, LosesNothingWhenItIsGraceful) {
  constexpr int kRestarts = 20;
  constexpr auto kPause = 300ms;
  Crowd crowd(httpd_, {.clients = clients(), .name = "quick"});
  Crowd patient(httpd_, {.clients = kPatientClients, .seconds = "4", .name = "patient"});
  for (int i = 0; i < kRestarts; ++i) {
    (void)wait_until([] { return false; }, kPause);
    crowd.go_on(clients());
    httpd_.graceful(OldChildren::left);
  }
  crowd.go_on(clients());
  crowd.finish();
  patient.finish();
  EXPECT_THAT(crowd.failures(), IsEmpty());
  EXPECT_THAT(patient.failures(), IsEmpty());
  const auto answered = static_cast<std::size_t>(crowd.answered() + patient.answered());
  expect_each_run_once(answered, answered);
  expect_workers(kWorkers);
  RecordProperty("requests", crowd.answered());
  RecordProperty("requests_of_4_s", patient.answered());
  RecordProperty("tried_again", crowd.tried_again() + patient.tried_again());
}

TEST_F(RestartUnderLoad, CutsOffNothingButConnectionsAndRunsNothingTwice) {
  constexpr int kRestarts = 5;
  Crowd crowd(httpd_, {.clients = clients(), .keep_connections = false, .name = "quick"});
  Crowd patient(
      httpd_,
      {.clients = kPatientClients, .keep_connections = false, .seconds = "1.5", .name = "patient"});
  steady_clock::duration slowest{};
  for (int i = 0; i < kRestarts; ++i) {
    crowd.go_on(5 * clients());
    const auto begun = steady_clock::now();
    httpd_.restart(OldChildren::left);
    crowd.go_on(1);
    slowest = std::max(slowest, steady_clock::now() - begun);
  }
  crowd.go_on(clients());
  crowd.finish();
  patient.finish();
  std::size_t failures = 0;
  for (const Crowd* each : {&crowd, &patient}) {
    failures += each->failures().size();
    for (const Response& failure : each->failures()) {
      EXPECT_FALSE(failure.complete()) << failure;
    }
  }
  EXPECT_GT(failures, 0u);
  const auto answered = static_cast<std::size_t>(crowd.answered() + patient.answered());
  expect_each_run_once(answered, answered + failures);
  expect_workers(kWorkers);
  RecordProperty("requests", crowd.answered());
  RecordProperty("cut_off", static_cast<int>(failures));
  RecordProperty("restart_ms", static_cast<int>(slowest / 1ms));
}

TEST(GracefulRestart, GivesTheNewWorkerAllItsThreadsAlthoughTheOldOneIsBusy) {
  constexpr int kThreads = 2;
  Httpd httpd(
      "WSGIDaemonProcess g threads=2\n"
      "WSGIScriptAlias / ${APPS}/perils.wsgi process-group=g application-group=%{GLOBAL}\n",
      {.processes = 8});
  HeldRequests old(httpd, httpd.make_writable("old"), kThreads);
  ASSERT_TRUE(old.all_run());
  httpd.graceful(OldChildren::left);
  HeldRequests fresh(httpd, httpd.make_writable("fresh"), kThreads);
  EXPECT_TRUE(fresh.all_run());
  fresh.release();
  old.release();
  EXPECT_TRUE(wait_until([&] { return httpd.running("pyhost-worker").size() == 1; }));
}

// What httpd keeps over restarts.
struct Keepings {
  std::size_t parent_descriptors = 0;
  std::size_t parent_bytes = 0;
  std::size_t supervisor_bytes = 0;
  std::string next_thread_key;  // in a child, which has those of the parent
};

// Serves the number of the next thread-local key of its process.
constexpr char kKeyScript[] =
    "import ctypes\n"
    "def application(environ, start_response):\n"
    "    libc, key = ctypes.CDLL(None), ctypes.c_uint()\n"
    "    libc.pthread_key_create(ctypes.byref(key), None)\n"
    "    libc.pthread_key_delete(key)\n"
    "    start_response('200 OK', [])\n"
    "    return [str(key.value).encode()]\n";

class ManyRestarts : public testing::Test {
 protected:
  Keepings look() const {
    const pid_t supervisor = httpd_.running("pyhost-supervisor").at(0);
    return {.parent_descriptors = descriptors_of(httpd_.pid()).size(),
            .parent_bytes = anonymous_bytes_of(httpd_.pid()),
            .supervisor_bytes = anonymous_bytes_of(supervisor),
            .next_thread_key = httpd_.get("/next-key").body};
  }
  void restart(int times, Crowd& crowd) {
    for (int i = 0; i < times; ++i) {
      replaced_ = httpd_.running("apache2");
      httpd_.graceful(OldChildren::left);
      crowd.go_on(2);
    }
    std::erase(replaced_, httpd_.pid());
  }
  std::size_t supervisor_descriptors() const {
    return descriptors_of(httpd_.running("pyhost-supervisor").at(0)).size();
  }
  std::size_t supervisor_descriptors_at_rest() const {
    EXPECT_TRUE(wait_until([&] { return count(httpd_.log(), "PH0404") == kWorkers; }));
    return supervisor_descriptors();
  }
  std::vector<pid_t> replaced_that_live() const {
    std::vector<pid_t> living = httpd_.running("apache2");
    std::erase_if(living, [&](pid_t pid) { return std::ranges::count(replaced_, pid) == 0; });
    return living;
  }
  // Waits for the end of all that the restarts replace. (How many children it needs is httpd's
  // matter.)
  void settle() const {
    const auto only_the_last_live = [&] {
      return httpd_.running("pyhost-worker").size() == kWorkers &&
             httpd_.running("pyhost-supervisor").size() == 1 && replaced_that_live().empty() &&
             supervisor_descriptors() <= supervisor_descriptors_at_start_;
    };
    EXPECT_TRUE(wait_until(only_the_last_live))
        << httpd_.running("pyhost-worker").size() << " workers instead of " << kWorkers << ", "
        << replaced_that_live().size() << " children of before, " << supervisor_descriptors()
        << " descriptors of the supervisor instead of " << supervisor_descriptors_at_start_;
  }

  Httpd httpd_{
      "WSGIScriptAlias /next-key ${ROOT}/keys/next\n"
      "<Directory ${ROOT}/keys>\n  Require all granted\n</Directory>\n" +
          std::string(kConfig),
      {.processes = 2, .threads = 8, .processes_left = 60, .files = {{"keys/next", kKeyScript}}}};
  const std::string diary_ = httpd_.make_writable("diary");
  std::vector<pid_t> replaced_;  // children of before the last restart
  const std::size_t supervisor_descriptors_at_start_ = supervisor_descriptors_at_rest();
};

TEST_F(ManyRestarts, LeaveNothingBehind) {
  constexpr int kWarmUp = 5;
  const int restarts = soaking() ? 300 : 100;
  httpd_.tolerate_log("PH0484");
  Crowd crowd(httpd_, {.clients = 2, .keep_connections = false});
  restart(kWarmUp, crowd);
  settle();
  const Keepings before = look();
  restart(restarts, crowd);
  settle();
  const Keepings after = look();
  crowd.finish();
  EXPECT_THAT(crowd.failures(), IsEmpty());
  EXPECT_EQ(after.parent_descriptors, before.parent_descriptors);
  EXPECT_EQ(after.next_thread_key, before.next_thread_key);
  EXPECT_NE(after.next_thread_key, "");
  const auto growth = [](std::size_t from, std::size_t to) {
    return static_cast<int>(100 * (static_cast<double>(to) / static_cast<double>(from) - 1));
  };
  constexpr int kPercent = 5;
  EXPECT_LE(growth(before.parent_bytes, after.parent_bytes), kPercent);
  EXPECT_LE(growth(before.supervisor_bytes, after.supervisor_bytes), kPercent);
  RecordProperty("restarts", restarts);
  RecordProperty("parent_kb_before", static_cast<int>(before.parent_bytes / 1024));
  RecordProperty("parent_kb_after", static_cast<int>(after.parent_bytes / 1024));
  RecordProperty("supervisor_kb_before", static_cast<int>(before.supervisor_bytes / 1024));
  RecordProperty("supervisor_kb_after", static_cast<int>(after.supervisor_bytes / 1024));
}

}  // namespace
}  // namespace pyhost::test
