// Load, and processes that are killed under it.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "harness/error_log.h"
#include "harness/httpd.h"
#include "httpd/crowd.h"
#include "httpd/held_requests.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::string config(const std::string& options) {
  return "MaxKeepAliveRequests 0\n"
         "WSGIDaemonProcess g " +
         options +
         "\n"
         "WSGIScriptAlias /labour ${APPS}/labour.wsgi process-group=g application-group=%{GLOBAL}\n"
         "WSGIScriptAlias / ${APPS}/perils.wsgi process-group=g application-group=%{GLOBAL}\n";
}

// A child of prefork serves one connection.
Options room_for(int clients) {
  if (default_mpm() == Mpm::prefork) return {.processes = clients};
  return {.processes = 2, .threads = clients};
}

std::set<pid_t> set_of(const std::vector<pid_t>& pids) {
  return {pids.begin(), pids.end()};
}

std::vector<std::string> lines_with(const Httpd& httpd, std::string_view text) {
  std::vector<std::string> lines;
  for (const ErrorLogLine& line : parse_error_log(httpd.log())) {
    if (line.text.find(text) != std::string::npos) lines.push_back(line.text);
  }
  return lines;
}

std::vector<std::string> sockets_in(const std::string& folder) {
  std::vector<std::string> sockets;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".sock") sockets.push_back(entry.path());
  }
  return sockets;
}

// What ends while it starts is another matter.
void wait_for_workers(const Httpd& httpd, std::size_t number) {
  EXPECT_TRUE(wait_until([&] { return count(httpd.log(), "PH0404") == number; })) << httpd.log();
}

// The worker of a slot that became ready last; 0 when there is none.
pid_t last_ready(const Httpd& httpd, unsigned slot) {
  const auto lines =
      lines_with(httpd, fmt::format("PH0404: worker {} of process group 'g' ", slot));
  if (lines.empty()) return 0;
  return std::stoi(std::string(between(lines.back(), "(pid ", ", generation")));
}

TEST(Crowd, IsServedByAFewWorkersWithoutALostOrMixedReply) {
  const bool prefork = default_mpm() == Mpm::prefork;
  const int clients = prefork ? 60 : 200;
  const int requests = prefork ? 100 : 40;
  const Httpd httpd(config("processes=3 threads=4 queue=200"), room_for(clients));
  Crowd crowd(httpd, {.clients = clients, .requests_of_each = requests});
  crowd.wait();
  EXPECT_THAT(crowd.failures(), IsEmpty());
  EXPECT_EQ(crowd.answered(), clients * requests);
}

TEST(KilledWorkers, CostOnlyTheRequestsInsideThem) {
  constexpr int kClients = 24;
  constexpr unsigned kKills = 6;
  constexpr unsigned kWorkers = 3;
  Httpd httpd(config("processes=3 threads=4"), room_for(kClients));
  Crowd crowd(httpd, {.clients = kClients});
  std::set<pid_t> killed;
  // Only when all are ready: what is killed while it starts is started the later for it. One slot
  // after the other, so that nobody asks for a death that is not the slot's last any more.
  for (unsigned i = 0; i < kKills; ++i) {
    wait_for_workers(httpd, kWorkers + i);
    crowd.go_on(kClients);
    const pid_t victim = last_ready(httpd, i % kWorkers);
    if (victim <= 0) break;
    kill(victim, SIGKILL);
    killed.insert(victim);
  }
  wait_for_workers(httpd, kWorkers + kKills);
  crowd.go_on(kClients);
  crowd.finish();
  for (const char* id : {"PH0406", "PH0407", "PH0450"}) httpd.tolerate_log(id);

  const auto causes = lines_with(httpd, "PH0450");
  EXPECT_THAT(causes, SizeIs(crowd.failures().size()));
  EXPECT_THAT(causes, Not(IsEmpty()));
  EXPECT_THAT(causes, Each(HasSubstr("the worker was killed by signal 9 (SIGKILL)")));
  for (const std::string& cause : causes) {
    const std::string pid(between(cause, "slot ", ", generation"));
    EXPECT_THAT(killed, Contains(std::stoi(pid.substr(pid.rfind(' ') + 1)))) << cause;
  }
  for (const Response& failure : crowd.failures()) {
    EXPECT_TRUE(failure.status == 502 || !failure.complete()) << failure;
  }
  EXPECT_THAT(killed, SizeIs(kKills));
  EXPECT_TRUE(wait_until([&] { return httpd.running("pyhost-worker").size() == kWorkers; }));
}

TEST(KilledSupervisor, LosesNoRequestAndIsReplacedWithItsWorkers) {
  constexpr int kClients = 4;
  Httpd httpd(config("processes=2 threads=2"), room_for(kClients));
  httpd.expect_log("PH0357");
  wait_for_workers(httpd, 2);
  const auto before = set_of(httpd.running("pyhost-worker"));
  ASSERT_THAT(httpd.running("pyhost-supervisor"), SizeIs(1));
  const pid_t supervisor = httpd.running("pyhost-supervisor").front();
  Crowd crowd(httpd, {.clients = kClients});
  crowd.go_on(50);
  kill(supervisor, SIGKILL);
  const auto is_replaced = [&] {
    const auto supervisors = httpd.running("pyhost-supervisor");
    const auto workers = httpd.running("pyhost-worker");
    return supervisors.size() == 1 && supervisors.front() != supervisor && workers.size() == 2 &&
           std::ranges::none_of(workers, [&](pid_t pid) { return before.contains(pid); });
  };
  EXPECT_TRUE(wait_until(is_replaced)) << httpd.log();
  crowd.go_on(50);
  crowd.finish();
  EXPECT_THAT(crowd.failures(), IsEmpty());
}

TEST(KilledHttpd, LeavesNeitherProcessesNorSockets) {
  Httpd httpd(config("processes=2 threads=2 graceful-timeout=2 shutdown-timeout=2"));
  wait_for_workers(httpd, 2);
  EXPECT_THAT(sockets_in(httpd.root()), SizeIs(2));
  httpd.crash();
  EXPECT_TRUE(wait_until([&] {
    return httpd.running("pyhost-worker").empty() && httpd.running("pyhost-supervisor").empty();
  }));
  EXPECT_THAT(sockets_in(httpd.root()), IsEmpty());
}

TEST(KilledHttpd, LeavesNoWorkerThatIsBusy) {
  Httpd httpd(config("threads=2 graceful-timeout=1 shutdown-timeout=1"));
  for (const char* id : {"PH0408", "PH0450", "PH0478"}) httpd.tolerate_log(id);
  HeldRequests held(httpd, httpd.make_writable("marks"), 1);
  EXPECT_TRUE(held.all_run());
  httpd.crash();
  EXPECT_TRUE(wait_until([&] {
    return httpd.running("pyhost-worker").empty() && httpd.running("pyhost-supervisor").empty();
  }));
}

TEST(KilledChild, GivesItsPlacesBack) {
  constexpr int kThreads = 3;
  Httpd httpd(config("threads=3"), {.processes = default_mpm() == Mpm::prefork ? 4 : 1});
  const std::string first = httpd.make_writable("first");
  const std::string second = httpd.make_writable("second");
  std::vector<pid_t> victims;
  {
    HeldRequests lost(httpd, first, kThreads);
    EXPECT_TRUE(lost.all_run());
    victims = httpd.children();
    for (const pid_t child : victims) kill(child, SIGKILL);
  }
  // A child may still accept a connection after it has been sent the signal.
  EXPECT_TRUE(wait_until([&] {
    const auto children = set_of(httpd.children());
    return std::ranges::none_of(victims, [&](pid_t pid) { return children.contains(pid); });
  }));
  // All threads at once, or some of them would not begin.
  HeldRequests held(httpd, second, kThreads);
  EXPECT_TRUE(held.all_run());
}

TEST(RotatedLog, IsLeftByWorkersAndSupervisor) {
  Httpd httpd(config("processes=2 threads=2"));
  wait_for_workers(httpd, 2);
  const std::string old_log = httpd.root() + "/error.log.1";
  fs::rename(httpd.root() + "/error.log", old_log);
  httpd.graceful();
  const auto left_alone = [&] {
    const auto workers = httpd.running("pyhost-worker");
    return workers.size() == 2 && count(httpd.log(), "PH0404") == 2 &&
           count(read_file(old_log), "PH0405") + count(httpd.log(), "PH0405") == 2;
  };
  EXPECT_TRUE(wait_until(left_alone)) << httpd.log();
  const std::string old_text = read_file(old_log);
  httpd.expect_log("PH0407");
  httpd.expect_log("PH0450");
  EXPECT_EQ(httpd.get("/exit").status, 502);
  httpd.wait_for_log("PH0407");
  EXPECT_EQ(httpd.get("/").status, 200);
  httpd.stop();
  EXPECT_THAT(httpd.log(), HasSubstr("PH0401"));
  EXPECT_EQ(read_file(old_log), old_text);
}

}  // namespace
}  // namespace pyhost::test
