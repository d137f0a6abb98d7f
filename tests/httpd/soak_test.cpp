// Everything that must not cost a request, all at once and for as long as one likes.

#include <gmock/gmock.h>

#include <filesystem>

#include "harness/httpd.h"
#include "harness/soak.h"
#include "httpd/crowd.h"
#include "httpd/diary.h"
#include "httpd/rude_clients.h"
#include "httpd/slow_clients.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::IsEmpty;

constexpr std::size_t kWorkers = 2;
constexpr char kConfig[] =
    "MaxKeepAliveRequests 0\n"
    "WSGIDaemonProcess g processes=2 threads=10 queue=400\n"
    "WSGIProcessGroup g\n"
    "WSGIApplicationGroup %{GLOBAL}\n"
    "SetEnv MARKS ${ROOT}/marks\n"
    "SetEnv DIARY ${ROOT}/marks/diary\n"
    "WSGIScriptAlias /labour ${APPS}/labour.wsgi\n"
    "WSGIScriptAlias /sum ${APPS}/uploads.wsgi/sum\n"
    "WSGIScriptAlias /uploads ${APPS}/uploads.wsgi\n"
    "WSGIScriptAlias /large ${APPS}/patience.wsgi/large\n"
    "WSGIScriptAlias /patience ${APPS}/patience.wsgi\n"
    "WSGIScriptAlias / ${APPS}/perils.wsgi\n";

class Soak : public testing::Test {
 protected:
  static Options options() {
    if (default_mpm() == Mpm::prefork) return {.processes = 60, .processes_left = 200};
    return {.processes = 2, .threads = 64, .processes_left = 60};
  }

  Soak() : diary_(httpd_.make_writable("marks") + "/diary") {
    // Restarts follow one another faster than a worker starts.
    httpd_.tolerate_log("PH0484");
  }

  // Slow transfers, rude clients, restarts and deployments beside the crowds.
  void disturb() {
    SlowClients slow(httpd_.endpoint(), slow_transfers());
    EXPECT_TRUE(slow.all_have_begun());
    httpd_.graceful(OldChildren::left);
    break_off_in_every_phase(httpd_);
    fs::last_write_time(httpd_.app("labour.wsgi"), fs::file_time_type::clock::now());
    break_off_in_every_phase(httpd_);
    httpd_.graceful(OldChildren::left);
    slow.finish();
    EXPECT_THAT(slow.failures(), IsEmpty());
  }
  // What the processes that outlive restarts have open.
  std::size_t descriptors() const {
    const pid_t supervisor = httpd_.running("pyhost-supervisor").at(0);
    return descriptors_of(httpd_.pid()).size() + descriptors_of(supervisor).size();
  }
  std::size_t descriptors_at_rest() const {
    EXPECT_TRUE(wait_until([this] { return count(httpd_.log(), "PH0404") == kWorkers; }));
    return descriptors();
  }
  // Waits for the end of all that restarts and deployments replace. Returns the memory of the
  // processes that outlive it.
  std::size_t bytes_at_rest() const {
    EXPECT_TRUE(wait_until([this] {
      return httpd_.running("pyhost-worker").size() == kWorkers &&
             httpd_.running("apache2").size() == httpd_processes_ &&
             descriptors() <= descriptors_at_start_;
    })) << httpd_.running("apache2").size()
        << " of httpd, " << descriptors() << " descriptors after " << descriptors_at_start_;
    return anonymous_bytes_of(httpd_.pid()) +
           anonymous_bytes_of(httpd_.running("pyhost-supervisor").at(0));
  }

  Httpd httpd_{kConfig, options()};
  const std::string diary_;
  const std::size_t httpd_processes_ = httpd_.running("apache2").size();
  const std::size_t descriptors_at_start_ = descriptors_at_rest();

 private:
  static std::vector<SlowTransfer> slow_transfers() {
    std::vector<SlowTransfer> transfers;
    for (int i = 0; i < 8; ++i) {
      transfers.push_back(
          {.way = SlowTransfer::Way::upload, .bytes = 100'000, .bytes_per_second = 1000});
      transfers.push_back(
          {.way = SlowTransfer::Way::download, .bytes = 5'000'000, .bytes_per_second = 10'000});
    }
    return transfers;
  }
};

TEST_F(Soak, LosesNothingAndLeavesNothing) {
  const auto end = steady_clock::now() + soak_time_or(6s);
  int rounds = 1;
  disturb();
  const std::size_t before = bytes_at_rest();
  Crowd crowd(httpd_, {.clients = 16, .name = "quick"});
  Crowd patient(httpd_, {.clients = 4, .seconds = "2", .name = "patient"});
  for (; steady_clock::now() < end; ++rounds) {
    disturb();
    crowd.go_on(16);
  }
  crowd.finish();
  patient.finish();
  EXPECT_THAT(crowd.failures(), IsEmpty());
  EXPECT_THAT(patient.failures(), IsEmpty());
  const Diary diary = Diary::read(diary_);
  EXPECT_THAT(diary.repeated(), IsEmpty());
  EXPECT_EQ(diary.begun.size(), static_cast<std::size_t>(crowd.answered() + patient.answered()));
  const std::size_t after = bytes_at_rest();
  EXPECT_LE(after, before * 105 / 100);
  RecordProperty("requests", crowd.answered() + patient.answered());
  RecordProperty("restarts", 2 * rounds);
  RecordProperty("deployments", rounds);
  RecordProperty("slow_transfers", 16 * rounds);
  RecordProperty("rude_clients", 2 * kRudeClients * rounds);
  RecordProperty("kb_before", static_cast<int>(before / 1024));
  RecordProperty("kb_after", static_cast<int>(after / 1024));
}

}  // namespace
}  // namespace pyhost::test
