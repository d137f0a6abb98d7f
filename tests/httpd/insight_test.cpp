// What applications learn of their requests, of their process and of httpd, in httpd's children or
// in workers, in the main interpreter and in others.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "harness/httpd.h"
#include "harness/wait.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr char kMain[] = "%{GLOBAL}";

class Insight : public testing::TestWithParam<const char*> {
 protected:
  void start(std::string_view config = "", Options options = {}) {
    options.processes = 1;
    httpd_.emplace(fmt::format("{}\nWSGIApplicationGroup {}\n"
                               "WSGIScriptAlias / ${{APPS}}/insight.wsgi\n",
                               config, GetParam()),
                   options);
    client_.emplace(httpd_->client());
  }
  // Over one connection, which is one child's.
  Response get(std::string path) { return client_->get(std::move(path)); }
  // What an expression comes to, as JSON.
  std::string answer(std::string_view expression, const std::string& path = "/") {
    return get(path + "?" + escaped(expression)).body;
  }
  // With what may not stand in a URL as it is.
  static std::string escaped(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
      const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
      escaped += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return escaped;
  }
  static bool in_workers() { return default_place() == Place::daemon; }

  std::optional<Httpd> httpd_;
  std::optional<HttpClient> client_;
};

INSTANTIATE_TEST_SUITE_P(, Insight, testing::Values(kMain, "shop"), [](const auto& test) {
  return std::string_view(test.param) == kMain ? "OfTheMainInterpreter" : "OfASubInterpreter";
});

// --- Events ---

TEST_P(Insight, TellsWhenARequestWasWhere) {
  start();
  get("/read");
  const std::string moments =
      "[0 < p['request_start'] <= p['queue_start'] <= p['daemon_start'] <= p['application_start'] "
      "for p in named('request_started')[:1]]";
  const std::string own =
      "[p['queue_start'] == p['daemon_start'] == 0.0 and 0 < "
      "p['request_start'] <= p['application_start'] "
      "for p in named('request_started')[:1]]";
  EXPECT_EQ(answer(in_workers() ? moments : own), "[true]");
  EXPECT_EQ(answer("[(p['daemon_connects'], p['daemon_restarts'], p['callable_object'], "
                   "p['server_pid'] == os.getpid(), p['thread_id'] >= 1, len(p['request_id']) > 8) "
                   "for p in named('request_started')[:1]]"),
            in_workers() ? R"([[1, 0, "application", false, true, true]])"
                         : R"([[0, 0, "application", true, true, true]])");
}

TEST_P(Insight, TellsWhatARequestHasTaken) {
  start();
  const std::string body(200'000, 'x');
  client_->request({.method = "POST", .path = "/read", .body = body});
  // The client has its reply before that is told.
  const std::string wanted = "[[200, 200000, true, 4, 1, true]]";
  EXPECT_TRUE(wait_until([&] {
    return answer(
               "[(p['status'], p['input_length'], p['input_reads'] >= 1, p['output_length'], "
               "p['output_writes'], p['cpu_time'] <= p['application_time']) "
               "for p in named('request_finished') if p['input_length']]") == wanted;
  })) << answer("repr(named('request_finished')[:2])");
}

TEST_P(Insight, TellsOfAFailureWithTheSameId) {
  start();
  httpd_->expect_log("PH0174");
  EXPECT_EQ(get("/fail").status, 500);
  EXPECT_EQ(answer("[event for event, payload in events][:3]"),
            R"(["request_started", "request_exception", "request_finished"])");
  EXPECT_EQ(answer("len({payload['request_id'] for event, payload in events[:3]})"), "1");
  EXPECT_EQ(answer("str(named('request_exception')[0]['exception_info'][1])"), R"("on purpose")");
}

// --- Figures ---

TEST_P(Insight, CountsRequests) {
  start();
  answer("mod_wsgi.start_recording_metrics() or mod_wsgi.request_metrics() and 0");
  httpd_->expect_log("PH0174");
  get("/fail");
  get("/sleep");
  // The client has its reply before its request is counted.
  EXPECT_TRUE(
      wait_until([&] { return answer("mod_wsgi.process_metrics()['active_requests']") == "1"; }));
  const std::string figures = answer(
      "[(m['request_count'] >= 2, m['status_2xx'] == m['request_count'] - 1, m['status_5xx'], "
      "m['application_time_max_us'] > 50000,"
      " m['queue_time'] is None, m['daemon_time'] is None, m['request_threads_active'] >= 1, "
      "len(m['request_threads_completed']) == m['request_threads_maximum'] == "
      "mod_wsgi.threads_per_process) for m in [mod_wsgi.request_metrics()]]");
  EXPECT_EQ(figures, in_workers() ? "[[true, true, 1, true, false, false, true, true]]"
                                  : "[[true, true, 1, true, true, true, true, true]]");
}

TEST_P(Insight, ShowsHttpdsScoreboardOnlyWhereItIsToBeSeen) {
  start();
  EXPECT_EQ(answer("mod_wsgi.server_metrics()"), "null");
}

TEST_P(Insight, ShowsHttpdsScoreboardInItsOwnProcesses) {
  start("WSGIServerMetrics On\nExtendedStatus On");
  if (in_workers()) {
    EXPECT_EQ(answer("mod_wsgi.server_metrics()"), "null");
    return;
  }
  EXPECT_EQ(
      answer("sorted(mod_wsgi.server_metrics())"),
      R"(["current_time", "processes", "restart_time", "running_generation", "running_time", )"
      R"("server_limit", "thread_limit"])");
  EXPECT_EQ(answer("[(sorted(p), sorted(p['workers'][0])) for p in "
                   "mod_wsgi.server_metrics()['processes'][:1]]"),
            R"([[["generation", "pid", "process_num", "quiescing", "workers"], ["access_count", )"
            R"("bytes_served", "client", "generation", "last_used", "request", "start_time", )"
            R"("status", "stop_time", "thread_num", "vhost"]]])");
  // This request's own thread.
  EXPECT_EQ(answer("[(w['status'], w['client']) for p in "
                   "mod_wsgi.server_metrics()['processes'] if p['pid'] == os.getpid() "
                   "for w in p['workers'] if w['request'].startswith('GET /own?')]",
                   "/own"),
            R"([["W", "127.0.0.1"]])");
}

TEST_P(Insight, HasAModuleThatDescribesHttpd) {
  start();
  EXPECT_EQ(answer("[apache.version[:2], apache.description.startswith('Apache/2.4'), "
                   "bool(apache.build_date), apache.mpm_name, apache.maximum_processes >= 1, "
                   "apache.threads_per_process >= 1]"),
            fmt::format(R"([[2, 4], true, true, "{}", true, true])", name_of(default_mpm())));
}

// --- Logging ---

TEST_P(Insight, LogsByTheLevelsOfHttpd) {
  start("LogLevel wsgi:info");
  httpd_->expect_log("a critical record");
  httpd_->expect_log("a warning record");
  get("/log");
  const std::string log = httpd_->log();
  EXPECT_THAT(log,
              AllOf(ContainsRegex("wsgi:crit\\].*client 127.0.0.1:[0-9]+\\].*a critical record"),
                    ContainsRegex("wsgi:warn\\].*client 127.0.0.1:[0-9]+\\].*a warning record"),
                    ContainsRegex("wsgi:info\\].*an info record")));
  EXPECT_THAT(log, Not(HasSubstr("a debug record")));
}

// --- The client ---

TEST_P(Insight, SendsEarlyHints) {
  start();
  RawConnection connection = httpd_->connect();
  connection.send("GET /hints HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(connection.read_all(),
              ContainsRegex("^HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n"
                            "X-Hint: one\r\n\r\n"
                            "HTTP/1.1 103 Early Hints\r\nLink: </b.js>; rel=preload\r\n\r\n"
                            "HTTP/1.1 200 OK\r\n"));
}

TEST_P(Insight, KeepsEarlyHintsOutOfTheReplyItself) {
  start();
  const Response reply = get("/hints");
  EXPECT_THAT(reply.interim, ElementsAre(103, 103));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(get("/").header("Link"), std::nullopt);
}

TEST_P(Insight, SendsNoEarlyHintsToClientsThatDoNotKnowThem) {
  start();
  RawConnection connection = httpd_->connect();
  connection.send("GET /hints HTTP/1.0\r\n\r\n");
  EXPECT_THAT(connection.read_all(),
              AllOf(ContainsRegex("^HTTP/1.[01] 200 OK\r\n"), Not(HasSubstr("a.css"))));
}

TEST_P(Insight, StillTellsAClientToContinueBehindEarlyHints) {
  start();
  RawConnection connection = httpd_->connect();
  connection.send(
      "POST /hints-and-read HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_THAT(connection.read_until("HTTP/1.1 100 Continue\r\n"), HasSubstr("</b.js>"));
  connection.send("abc");
  EXPECT_THAT(connection.read_all(), HasSubstr("HTTP/1.1 200 OK\r\n"));
}

TEST_P(Insight, TellsThatTheClientHasGone) {
  start();
  httpd_->expect_log("its client has gone");
  httpd_->expect_log("waits for its client");
  RawConnection connection = httpd_->connect();
  connection.send("GET /client HTTP/1.1\r\nHost: x\r\n\r\n");
  httpd_->wait_for_log("waits for its client");
  connection.abort();
  httpd_->wait_for_log("its client has gone");
}

}  // namespace
}  // namespace pyhost::test
