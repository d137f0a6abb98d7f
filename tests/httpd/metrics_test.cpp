// What is counted of requests with known behaviour, wherever their applications run.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "harness/command.h"
#include "harness/httpd.h"
#include "httpd/scrape.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Reads its request, sleeps when it is told to, and answers 1000 bytes with the status of the
// query.
constexpr char kKnown[] = R"(
import time

def application(environ, start_response):
    environ['wsgi.input'].read()
    time.sleep(float(environ.get('HTTP_X_SECONDS', 0)))
    start_response((environ['QUERY_STRING'] or '200') + ' Known', [])
    return [b'x' * 1000]
)";

constexpr char kConfig[] =
    "WSGIScriptAlias /main ${ROOT}/known.wsgi application-group=%{GLOBAL}\n"
    "WSGIScriptAlias /sub ${ROOT}/known.wsgi application-group=sub\n"
    "WSGIScriptAlias /perils ${APPS}/perils.wsgi application-group=%{GLOBAL}\n"
    "WSGIScriptAlias /broken ${ROOT}/broken.wsgi application-group=broken\n"
    "<Directory ${ROOT}>\n  Require all granted\n</Directory>\n";

class Figures : public testing::Test {
 protected:
  std::string group() const {
    return default_place() == Place::daemon ? "group=\"tests\"" : "group=\"%{GLOBAL}\"";
  }
  std::string sample(std::string_view name, std::string_view labels = "") const {
    return fmt::format("pyhost_{}{{{}{}{}}}", name, group(), labels.empty() ? "" : ",", labels);
  }
  std::string requests(std::string_view app, std::string_view status_class) const {
    return sample("requests_total", fmt::format("app=\"{}\",code_class=\"{}\"", app, status_class));
  }

  Httpd httpd_{std::string(kConfig) + kFigures,
               {.files = {{"known.wsgi", kKnown}, {"broken.wsgi", "import nothing_like_it\n"}}}};
};

TEST_F(Figures, AreThereFromTheStart) {
  const Scrape scrape = Scrape::of(httpd_);
  EXPECT_EQ(scrape.value(requests("other", "5xx")), 0);
  EXPECT_EQ(scrape.value(sample("requests_rejected_total", "reason=\"queue_full\"")), 0);
  EXPECT_EQ(scrape.value(sample("request_errors_total", "cause=\"exception\"")), 0);
  EXPECT_EQ(scrape.value(sample("queue_wait_seconds_count")), 0);
  EXPECT_GT(scrape.value(sample("threads_limit")), 0);
  EXPECT_EQ(scrape.sum("pyhost_build_info{version="), 1);
}

TEST_F(Figures, TellApplicationsStatusesAndSizes) {
  const std::string body(500, 'x');
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(httpd_.request({.method = "POST", .path = "/main", .body = body}).status, 200);
  }
  EXPECT_EQ(httpd_.get("/main?404").status, 404);
  EXPECT_EQ(httpd_.get("/sub?503").status, 503);
  ASSERT_TRUE(wait_for_sample(httpd_, requests("sub", "5xx"), 1));
  const Scrape scrape = Scrape::of(httpd_);
  EXPECT_EQ(scrape.value(requests("%{GLOBAL}", "2xx")), 2);
  EXPECT_EQ(scrape.value(requests("%{GLOBAL}", "4xx")), 1);
  EXPECT_EQ(scrape.value(requests("sub", "2xx")), 0);
  EXPECT_EQ(scrape.value(sample("request_body_bytes_total")), 1000);
  EXPECT_EQ(scrape.value(sample("reply_bytes_total")), 4000);
  EXPECT_EQ(scrape.value(sample("queue_wait_seconds_count")), 4);
  EXPECT_EQ(scrape.value(sample("request_duration_seconds_count", "app=\"%{GLOBAL}\"")), 3);
  // What an application answers is none of the server's errors.
  EXPECT_EQ(scrape.sum("pyhost_request_errors_total{" + group()), 0);
}

TEST_F(Figures, TellHowLongRequestsTake) {
  EXPECT_EQ(httpd_.request({.path = "/sub", .headers = {{"X-Seconds", "0.3"}}}).status, 200);
  ASSERT_TRUE(wait_for_sample(httpd_, requests("sub", "2xx"), 1));
  const Scrape scrape = Scrape::of(httpd_);
  const auto bucket = [&](std::string_view bound) {
    return scrape.value(
        sample("request_duration_seconds_bucket", fmt::format("app=\"sub\",le=\"{}\"", bound)));
  };
  EXPECT_EQ(bucket("0.25"), 0);
  EXPECT_EQ(bucket("+Inf"), 1);
  EXPECT_GE(scrape.value(sample("request_duration_seconds_sum", "app=\"sub\"")), 0.3);
  EXPECT_GE(scrape.value(sample("application_seconds_total", "app=\"sub\"")), 0.3);
  EXPECT_GE(scrape.value(sample("threads_busy_seconds_total")), 0.3);
  EXPECT_EQ(scrape.value(sample("application_seconds_total", "app=\"other\"")), 0);
}

TEST_F(Figures, NameWhatWentWrong) {
  for (const char* text : {"PH0174", "PH0109", "PH0303"}) httpd_.tolerate_log(text);
  EXPECT_EQ(httpd_.get("/perils/raise").status, 500);
  EXPECT_FALSE(httpd_.get("/perils/stream").complete());
  EXPECT_EQ(httpd_.get("/broken").status, 500);
  ASSERT_TRUE(
      wait_for_sample(httpd_, sample("request_errors_total", "cause=\"import_failed\""), 1));
  const Scrape scrape = Scrape::of(httpd_);
  EXPECT_EQ(scrape.value(sample("request_errors_total", "cause=\"exception\"")), 2);
  EXPECT_EQ(scrape.sum("pyhost_request_errors_total{" + group()), 3);
  EXPECT_EQ(scrape.value(requests("broken", "5xx")), 1);
}

TEST_F(Figures, TellOfClientsThatLeave) {
  {
    RawConnection client = httpd_.connect();
    client.send("POST /main HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf");
  }
  EXPECT_TRUE(wait_for_sample(httpd_, sample("client_aborts_total", "stage=\"upload\""), 1));
  EXPECT_EQ(Scrape::of(httpd_).sum("pyhost_request_errors_total{" + group()), 0);
}

TEST_F(Figures, TellOfRequestsThatRun) {
  const std::string folder = httpd_.make_writable("held");
  {
    const std::string mark = folder + "/mark";
    std::jthread client([&] { EXPECT_EQ(httpd_.get("/perils/wait?" + mark).status, 200); });
    EXPECT_TRUE(wait_for_sample(httpd_, sample("requests_in_progress"), 1));
    EXPECT_TRUE(wait_for_sample(httpd_, sample("threads_busy"), 1));
    EXPECT_TRUE(
        wait_until([&] { return Scrape::of(httpd_).value(sample("oldest_request_seconds")) > 0; }));
    httpd_.write_file("held/mark", "");
  }
  EXPECT_TRUE(wait_for_sample(httpd_, sample("requests_in_progress"), 0));
  EXPECT_EQ(Scrape::of(httpd_).value(sample("oldest_request_seconds")), 0);
}

TEST_F(Figures, StayOverAGracefulRestart) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(httpd_.get("/main").status, 200);
  ASSERT_TRUE(wait_for_sample(httpd_, requests("%{GLOBAL}", "2xx"), 3));
  const Scrape before = Scrape::of(httpd_);
  httpd_.graceful();
  EXPECT_EQ(httpd_.get("/main").status, 200);
  ASSERT_TRUE(wait_for_sample(httpd_, requests("%{GLOBAL}", "2xx"), 4));
  EXPECT_EQ(Scrape::of(httpd_).decrease_since(before), "");
}

TEST_F(Figures, AreWhatPrometheusReads) {
  EXPECT_EQ(httpd_.get("/main").status, 200);
  constexpr char kRead[] = R"(
import sys
from prometheus_client import parser
from prometheus_client.openmetrics import parser as strict

names = []
for read, file in ((parser, 'prometheus'), (strict, 'openmetrics')):
    text = open(sys.argv[1] + '/' + file).read()
    families = list(read.text_string_to_metric_families(text))
    names.append({sample.name for family in families for sample in family.samples})
assert names[0] == names[1], names[0] ^ names[1]
assert 'pyhost_requests_total' in names[0]
)";
  httpd_.write_file("prometheus", httpd_.get("/figures?metrics&workers=1").body);
  const Response page = httpd_.request(
      {.path = "/figures?workers=1",
       .headers = {{"Accept", "application/openmetrics-text;version=1.0.0,*/*;q=0.1"}}});
  EXPECT_EQ(page.header("Content-Type"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
  httpd_.write_file("openmetrics", page.body);
  const CommandResult read = run_command({"/usr/bin/python3", "-c", kRead, httpd_.root()});
  EXPECT_TRUE(read.ok()) << read;
}

TEST_F(Figures, HaveNoProcessIdsInThem) {
  EXPECT_EQ(httpd_.get("/main").status, 200);
  const std::string text = httpd_.get("/figures?metrics&workers=1").body;
  EXPECT_THAT(text, Not(HasSubstr("pid=")));
  EXPECT_THAT(httpd_.get("/figures?metrics").body, Not(HasSubstr("slot=")));
}

// --- The handler -------------------------------------------------------------------------------

TEST_F(Figures, AreNotKept) {
  const Response page = httpd_.get("/figures?metrics");
  EXPECT_EQ(page.header("Cache-Control"), "no-store");
  EXPECT_EQ(page.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(page.header("Vary"), "Accept");
  EXPECT_EQ(httpd_.get("/figures").header("Content-Type"), "application/json");
}

TEST_F(Figures, AreForGetAndHeadAlone) {
  const Response head = httpd_.request({.method = "HEAD", .path = "/figures?metrics"});
  EXPECT_EQ(head.status, 200);
  EXPECT_THAT(head.body, IsEmpty());
  EXPECT_TRUE(head.header("Content-Length"));
  for (const char* method : {"POST", "PUT", "DELETE"}) {
    const Response refused = httpd_.request({.method = method, .path = "/figures", .body = ""});
    EXPECT_EQ(refused.status, 405) << method;
    EXPECT_THAT(refused.header("Allow").value_or(""), HasSubstr("GET")) << method;
  }
}

TEST_F(Figures, AreOnlyForThisMachine) {
  for (const char* header : {"X-Forwarded-For", "Forwarded", "Via"}) {
    EXPECT_EQ(httpd_.request({.path = "/figures", .headers = {{header, "192.0.2.1"}}}).status, 403)
        << header;
  }
}

TEST(OpenFigures, AreForWhoeverHttpdLetsIn) {
  Httpd httpd(
      "<Location /figures>\n  SetHandler pyhost-status\n  WSGIStatusLocalOnly Off\n"
      "  Require expr \"%{HTTP:X-Key} == 'mine'\"\n</Location>\n");
  httpd.expect_log("AH01630: client denied by server configuration");
  const Headers through_proxy{{"X-Forwarded-For", "192.0.2.1"}};
  EXPECT_EQ(httpd.request({.path = "/figures", .headers = through_proxy}).status, 403);
  Headers with_key = through_proxy;
  with_key.emplace_back("X-Key", "mine");
  EXPECT_EQ(httpd.request({.path = "/figures", .headers = with_key}).status, 200);
}

}  // namespace
}  // namespace pyhost::test
