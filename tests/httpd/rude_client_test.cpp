// Clients that break off in every phase of a request, or never begin one: they leave nothing
// behind.

#include <gmock/gmock.h>

#include <filesystem>

#include "harness/httpd.h"
#include "harness/soak.h"
#include "httpd/held_requests.h"
#include "httpd/rude_clients.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;

constexpr int kThreads = 4;
constexpr char kConfig[] =
    "LogLevel wsgi:info\n"
    // A child that ends waits for the headers of whoever is connected, perhaps to nobody any more.
    "RequestReadTimeout header=2\n"
    "WSGIDaemonProcess g processes=1 threads=4\n"
    "WSGIProcessGroup g\n"
    "WSGIApplicationGroup %{GLOBAL}\n"
    "SetEnv MARKS ${ROOT}/marks\n"
    "WSGIScriptAlias /uploads ${APPS}/uploads.wsgi\n"
    "WSGIScriptAlias /patience ${APPS}/patience.wsgi\n"
    "WSGIScriptAlias / ${APPS}/perils.wsgi\n";

// What processes have at rest.
struct Holdings {
  std::size_t descriptors = 0;
  std::size_t threads = 0;
  std::size_t bytes = 0;
};

Holdings holdings_of(const std::vector<pid_t>& pids) {
  Holdings sum;
  for (const pid_t pid : pids) {
    sum.descriptors += descriptors_of(pid).size();
    sum.threads += static_cast<std::size_t>(
        std::distance(fs::directory_iterator("/proc/" + std::to_string(pid) + "/task"),
                      fs::directory_iterator()));
    sum.bytes += anonymous_bytes_of(pid);
  }
  return sum;
}

class RudeClients : public testing::Test {
 protected:
  RudeClients() : marks_(httpd_.make_writable("marks")) {}

  // Waits until every thread of the worker is free.
  void expect_all_threads_free() {
    const std::string folder = httpd_.make_writable("held" + std::to_string(++times_held_));
    const HeldRequests held(httpd_, folder, kThreads);
    EXPECT_TRUE(held.all_run()) << httpd_.log();
  }
  std::vector<pid_t> processes() const {
    std::vector<pid_t> pids = httpd_.running("apache2");
    for (const pid_t worker : httpd_.running("pyhost-worker")) pids.push_back(worker);
    return pids;
  }

  // Waits until these processes hold what they did, but for a quarter of memory.
  template <class Processes>
  static Holdings expect_no_more_than(const Holdings& before, Processes processes) {
    Holdings after;
    EXPECT_TRUE(wait_until([&] {
      after = holdings_of(processes());
      return after.descriptors <= before.descriptors && after.threads <= before.threads;
    })) << after.descriptors
        << " descriptors after " << before.descriptors << ", " << after.threads << " threads after "
        << before.threads;
    EXPECT_LT(after.bytes, before.bytes * 5 / 4);
    return after;
  }

  Httpd httpd_{kConfig, {.processes = default_mpm() == Mpm::prefork ? 8 : 1, .threads = 24}};
  const std::string marks_;
  int times_held_ = 0;
};

TEST_F(RudeClients, LeaveNothingBehind) {
  const int visits = soaking() ? 200 : 10;
  const int visits_before = soaking() ? 50 : 3;
  // Growth that is none: what the first visits of each kind make for good.
  for (int i = 0; i < visits_before; ++i) break_off_in_every_phase(httpd_);
  expect_all_threads_free();
  const Holdings before = holdings_of(processes());
  for (int i = 0; i < visits; ++i) break_off_in_every_phase(httpd_);
  expect_all_threads_free();
  const Holdings after = expect_no_more_than(before, [this] { return processes(); });
  EXPECT_EQ(httpd_.running("pyhost-worker").size(), 1u);
  RecordProperty("clients", visits * kRudeClients);
  RecordProperty("kb_before", static_cast<int>(before.bytes / 1024));
  RecordProperty("kb_after", static_cast<int>(after.bytes / 1024));
}

TEST_F(RudeClients, ThatSendNothingLeaveNothingBehind) {
  constexpr int kAtOnce = 400;
  const int times = soaking() ? 25 : 2;
  // They are more than httpd has threads for.
  httpd_.tolerate_log("server reached MaxRequestWorkers");
  expect_all_threads_free();
  Holdings before = holdings_of(httpd_.running("pyhost-worker"));
  // Each child of prefork keeps a connection to the worker, and there may be more children now.
  constexpr std::size_t kMoreChildren = 8;
  if (default_mpm() == Mpm::prefork) before.descriptors += kMoreChildren;
  for (int i = 0; i < times; ++i) {
    std::vector<RawConnection> silent;
    for (int n = 0; n < kAtOnce; ++n) silent.push_back(httpd_.connect());
  }
  expect_all_threads_free();
  expect_no_more_than(before, [this] { return httpd_.running("pyhost-worker"); });
  RecordProperty("connections", times * kAtOnce);
}

TEST_F(RudeClients, ThatPipelineGetEveryReplyInOrder) {
  constexpr int kRequests = 50;
  constexpr char kHost[] = " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::string requests;
  for (int i = 0; i < kRequests; ++i)
    requests += "GET " + std::string(i % 2 == 0 ? "/" : "/patience") + kHost;
  RawConnection client = httpd_.connect();
  client.send(requests + "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string replies = client.read_all();
  EXPECT_EQ(count(replies, "HTTP/1.1 200 OK"), kRequests + 1u);
  std::string bodies;
  for (std::size_t at = 0; (at = replies.find("\r\n\r\n", at)) != replies.npos; at += 4) {
    bodies += replies[at + 4];
  }
  std::string expected;
  for (int i = 0; i < kRequests; ++i) expected += i % 2 == 0 ? 'w' : 'h';
  EXPECT_EQ(bodies, expected + "w");
}

}  // namespace
}  // namespace pyhost::test
