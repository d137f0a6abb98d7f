// What is counted of workers, and of requests that do not reach one.

#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "harness/command.h"
#include "harness/httpd.h"
#include "harness/soak.h"
#include "httpd/crowd.h"
#include "httpd/held_requests.h"
#include "httpd/scrape.h"
#include "httpd/versions.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;

CommandResult pyhost(const Httpd& httpd, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), PYHOST_TEST_PROGRAM);
  arguments.insert(arguments.end(), {"--server-root", httpd.root()});
  return run_command(arguments);
}

class WorkerFigures : public testing::Test {
 protected:
  Httpd httpd_{
      "WSGIDaemonProcess g threads=1 queue=1 queue-timeout=1 shutdown-timeout=1\n"
      "WSGIScriptAlias /site ${ROOT}/site.wsgi process-group=g application-group=%{GLOBAL}\n"
      "WSGIScriptAlias / ${APPS}/perils.wsgi process-group=g application-group=%{GLOBAL}\n"
      "<Directory ${ROOT}>\n  Require all granted\n</Directory>\n" +
          std::string(kFigures),
      {.files = {{"site.wsgi", version(1)}}, .place = Place::embedded}};
};

TEST_F(WorkerFigures, TellOfStartsAndEnds) {
  // A worker may take longer to start than a request waits.
  for (const char* text : {"PH0450", "PH0406", "PH0407", "PH0453"}) httpd_.tolerate_log(text);
  EXPECT_TRUE(wait_until([this] { return httpd_.get("/site").status == 200; }));
  EXPECT_EQ(httpd_.get("/exit").status, 502);
  EXPECT_TRUE(wait_until([this] { return httpd_.get("/site").status == 200; }));
  EXPECT_EQ(httpd_.get("/signal/SIGSEGV").status, 502);
  EXPECT_TRUE(wait_until([this] { return httpd_.get("/site").status == 200; }));
  EXPECT_TRUE(
      wait_for_sample(httpd_, "pyhost_worker_starts_total{group=\"g\",reason=\"crash\"}", 2));
  const Scrape scrape = Scrape::of(httpd_);
  EXPECT_EQ(scrape.value("pyhost_worker_starts_total{group=\"g\",reason=\"first\"}"), 1);
  EXPECT_EQ(scrape.value("pyhost_worker_exits_total{group=\"g\",cause=\"exited\",signal=\"\"}"), 1);
  EXPECT_EQ(
      scrape.value("pyhost_worker_exits_total{group=\"g\",cause=\"signalled\",signal=\"SIGSEGV\"}"),
      1);
  EXPECT_EQ(scrape.value("pyhost_worker_start_duration_seconds_count{group=\"g\"}"), 3);
  EXPECT_EQ(scrape.value("pyhost_generation{group=\"g\"}"), 3);
  EXPECT_EQ(scrape.value("pyhost_request_errors_total{group=\"g\",cause=\"worker_exited\"}"), 1);
  EXPECT_EQ(scrape.value("pyhost_request_errors_total{group=\"g\",cause=\"worker_signalled\"}"), 1);
  EXPECT_GT(scrape.sum("pyhost_cpu_seconds_total{group=\"g\""), 0);
}

TEST_F(WorkerFigures, TellOfRequestsThatWaitedAndWereRejected) {
  httpd_.expect_log("PH0452");
  httpd_.expect_log("PH0453");
  HeldRequests held(httpd_, httpd_.make_writable("held"), 1);
  ASSERT_TRUE(held.all_run());
  std::jthread waiting([this] { httpd_.get("/site"); });
  EXPECT_TRUE(wait_for_sample(httpd_, "pyhost_requests_queued{group=\"g\"}", 1));
  EXPECT_EQ(httpd_.get("/site").status, 503);
  EXPECT_TRUE(wait_for_sample(
      httpd_, "pyhost_requests_rejected_total{group=\"g\",reason=\"queue_full\"}", 1));
  waiting.join();
  EXPECT_TRUE(wait_for_sample(
      httpd_, "pyhost_requests_rejected_total{group=\"g\",reason=\"queue_timeout\"}", 1));
  EXPECT_EQ(Scrape::of(httpd_).value("pyhost_requests_waited_total{group=\"g\"}"), 1);
}

TEST_F(WorkerFigures, AreThereWhileTheGroupIsStopped) {
  EXPECT_EQ(httpd_.get("/site").status, 200);
  const CommandResult stopped = pyhost(httpd_, {"stop", "g"});
  ASSERT_TRUE(stopped.ok()) << stopped;
  httpd_.expect_log("PH0462");
  EXPECT_EQ(httpd_.get("/site").status, 503);
  EXPECT_TRUE(wait_for_sample(
      httpd_, "pyhost_requests_rejected_total{group=\"g\",reason=\"group_stopped\"}", 1));
  EXPECT_EQ(Scrape::of(httpd_).sum("pyhost_workers{group=\"g\""), 0);
}

TEST_F(WorkerFigures, TellOfDeploys) {
  EXPECT_EQ(httpd_.get("/site").body, "1");
  replace_file(httpd_.root() + "/site.wsgi", version(2));
  EXPECT_TRUE(wait_until([this] { return httpd_.get("/site").body == "2"; }));
  EXPECT_TRUE(wait_for_sample(httpd_, "pyhost_deploys_total{group=\"g\",result=\"ok\"}", 1));
  EXPECT_EQ(Scrape::of(httpd_).value("pyhost_worker_starts_total{group=\"g\",reason=\"deploy\"}"),
            1);
  for (const char* text : {"PH0109", "PH0406", "PH0411"}) httpd_.expect_log(text);
  replace_file(httpd_.root() + "/site.wsgi", "raise ValueError('not today')\n");
  EXPECT_EQ(httpd_.get("/site").body, "2");
  EXPECT_TRUE(wait_for_sample(httpd_, "pyhost_deploys_total{group=\"g\",result=\"broken\"}", 1));
  EXPECT_EQ(Scrape::of(httpd_).value("pyhost_generation_degraded{group=\"g\"}"), 1);
}

TEST_F(WorkerFigures, TellHowMuchMemoryThereIs) {
  EXPECT_EQ(httpd_.get("/site").status, 200);
  EXPECT_TRUE(wait_until([this] {
    const Scrape scrape = Scrape::of(httpd_);
    return scrape.value("pyhost_resident_bytes{group=\"g\"}") > 1e6 &&
           scrape.value("pyhost_proportional_bytes{group=\"g\"}") > 1e5;
  }));
}

TEST_F(WorkerFigures, AreTheSameForOperators) {
  EXPECT_EQ(httpd_.get("/site").status, 200);
  const std::string sample =
      "pyhost_requests_total{group=\"g\",app=\"%{GLOBAL}\",code_class=\"2xx\"}";
  ASSERT_TRUE(wait_for_sample(httpd_, sample, 1));
  const CommandResult shown = pyhost(httpd_, {"metrics"});
  ASSERT_TRUE(shown.ok()) << shown;
  EXPECT_EQ(Scrape(shown.output).value(sample), 1);
  const CommandResult open = pyhost(httpd_, {"metrics", "g", "--openmetrics"});
  ASSERT_TRUE(open.ok()) << open;
  EXPECT_TRUE(open.output.ends_with("# EOF\n"));
  EXPECT_THAT(pyhost(httpd_, {"metrics", "x"}).output, HasSubstr("there is no process group 'x'"));
  const auto status = nlohmann::json::parse(pyhost(httpd_, {"status", "--json"}).output);
  EXPECT_EQ(status["figures"]["pyhost_threads_limit"][0]["value"], 1);
}

TEST(WorkerFiguresOfASupervisor, GoOnInItsSuccessor) {
  Httpd httpd(
      "WSGIDaemonProcess g\n"
      "WSGIScriptAlias / ${APPS}/perils.wsgi process-group=g\n" +
          std::string(kFigures),
      {.place = Place::embedded});
  for (const char* text : {"PH0356", "PH0357", "PH0450"}) httpd.tolerate_log(text);
  EXPECT_EQ(httpd.get("/").status, 200);
  const Scrape before = Scrape::of(httpd);
  ASSERT_EQ(kill(httpd.running("pyhost-supervisor").at(0), SIGKILL), 0);
  EXPECT_TRUE(wait_until([&] {
    return Scrape::of(httpd).value("pyhost_worker_starts_total{group=\"g\",reason=\"first\"}") == 2;
  }));
  EXPECT_EQ(Scrape::of(httpd).decrease_since(before), "");
}

// Counters that fall would be taken for a restart, and alerts and rates with them.
class FiguresUnderKills : public testing::Test {
 protected:
  FiguresUnderKills() {
    for (const char* text : {"PH0356", "PH0357", "PH0406", "PH0407", "PH0450"}) {
      httpd_.tolerate_log(text);
    }
  }
  double workers_ready() const {
    const Scrape scrape = Scrape::of(httpd_);
    return scrape.value("pyhost_workers{group=\"g\",state=\"idle\"}") +
           scrape.value("pyhost_workers{group=\"g\",state=\"busy\"}");
  }
  void scrape_until(const std::atomic<bool>& over) {
    Scrape before = Scrape::of(httpd_);
    while (!over) {
      Scrape now = Scrape::of(httpd_);
      EXPECT_EQ(now.decrease_since(before), "");
      before = std::move(now);
    }
  }

  Httpd httpd_{
      "WSGIDaemonProcess g processes=3 threads=5 shutdown-timeout=2\n"
      "WSGIScriptAlias / ${APPS}/labour.wsgi process-group=g\n" +
          std::string(kFigures),
      {.processes = default_mpm() == Mpm::prefork ? 24 : 2, .place = Place::embedded}};
};

TEST_F(FiguresUnderKills, NeverDecrease) {
  Crowd crowd(httpd_, {.clients = 8, .keep_connections = false});
  std::mt19937 random(1);
  std::atomic<bool> over = false;
  std::jthread one([&] { scrape_until(over); }), other([&] { scrape_until(over); });
  const int kills_wanted = soaking() ? 1000 : 24;
  for (int kills = 0; kills < kills_wanted;) {
    // One that is killed while it starts counts as one that cannot start, and others wait for that.
    ASSERT_TRUE(wait_until([this] { return workers_ready() == 3; }));
    const auto workers = httpd_.running("pyhost-worker");
    if (workers.empty()) continue;
    kills += kill(workers[random() % workers.size()], SIGKILL) == 0;
    if (kills % 8 == 0) httpd_.graceful(OldChildren::left);
  }
  over = true;
  one.join();
  other.join();
  crowd.finish();
}

TEST_F(FiguresUnderKills, HaveNoMoreSamplesThanBefore) {
  EXPECT_EQ(httpd_.get("/?x").status, 200);
  const auto samples = [this] { return Scrape::of(httpd_, "?metrics&workers=1").samples().size(); };
  ASSERT_TRUE(wait_until([this] { return Scrape::of(httpd_).sum("pyhost_requests_total{") >= 1; }));
  const std::size_t before = samples();
  for (int i = 0; i < 5; ++i) {
    httpd_.graceful();
    EXPECT_EQ(httpd_.get("/?x").status, 200);
  }
  EXPECT_EQ(samples(), before);
}

}  // namespace
}  // namespace pyhost::test
