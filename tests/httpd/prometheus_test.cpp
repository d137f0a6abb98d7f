// What Prometheus makes of what the server shows. Its programs are of scripts/install-deps test.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "harness/command.h"
#include "harness/httpd.h"
#include "harness/port_lease.h"
#include "harness/process.h"
#include "harness/temp_dir.h"
#include "httpd/scrape.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;

constexpr char kMeasures[] = R"(
import mod_wsgi
orders = mod_wsgi.counter('orders', 'Orders that came in', ('kind',))
seconds = mod_wsgi.histogram('order_seconds', 'What they took')

def application(environ, start_response):
    orders.labels('"a"\\\n\u00e9').inc()
    seconds.observe(0.3)
    start_response('200 OK', [])
    return [b'']
)";

class Prometheus : public testing::Test {
 protected:
  void SetUp() override {
    if (access(TEST_PROMETHEUS "/prometheus", X_OK) != 0) {
      GTEST_SKIP() << "there is no " TEST_PROMETHEUS "/prometheus";
    }
  }

  Httpd httpd_{
      "WSGIScriptAlias / ${ROOT}/site.wsgi\n"
      "<Directory ${ROOT}>\n  Require all granted\n</Directory>\n" +
          std::string(kFigures),
      {.files = {{"site.wsgi", kMeasures}}}};
  const TempDir folder_;
};

TEST_F(Prometheus, HasNothingToSayAgainstAScrape) {
  EXPECT_EQ(httpd_.get("/").status, 200);
  const std::string page = folder_.write("page", httpd_.get("/figures?metrics").body);
  const std::string checked =
      fmt::format("{} check metrics < {}", TEST_PROMETHEUS "/promtool", page);
  const CommandResult result = run_command({"/bin/sh", "-c", checked});
  EXPECT_TRUE(result.ok()) << result;
}

// By the parser of its Python package, which takes nothing that OpenMetrics does not say.
TEST_F(Prometheus, HasNothingToSayAgainstOpenMetrics) {
  EXPECT_EQ(httpd_.get("/").status, 200);
  const Response page =
      httpd_.request({.path = "/figures", .headers = {{"Accept", "application/openmetrics-text"}}});
  const CommandResult result = run_command(
      {"/usr/bin/python3", "-c",
       "import sys\n"
       "from prometheus_client.openmetrics.parser import text_string_to_metric_families\n"
       "families = {f.name: f for f in text_string_to_metric_families(open(sys.argv[1]).read())}\n"
       "print(families['orders'].samples[0].labels['kind'])\n",
       folder_.write("page", page.body)});
  EXPECT_TRUE(result.ok()) << result;
  EXPECT_EQ(result.output, "\"a\"\\\n\u00e9\n");
}

TEST_F(Prometheus, ScrapesAndAnswers) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(httpd_.get("/").status, 200);
  const PortLease port;
  const std::string config = folder_.write("prometheus.yml", fmt::format(R"(
global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs:
  - job_name: pyhost
    metrics_path: /figures
    static_configs: [{{ targets: ["127.0.0.1:{}"] }}]
)",
                                                                         httpd_.port()));
  Process prometheus({.arguments = {TEST_PROMETHEUS "/prometheus", "--config.file=" + config,
                                    "--storage.tsdb.path=" + folder_.make_writable("data"),
                                    fmt::format("--web.listen-address=127.0.0.1:{}", port.port())},
                      .environment = {},
                      .output_file = folder_.path() + "/log"});
  const auto answer = [&](std::string_view query) -> std::string {
    const Response page =
        HttpClient({.port = port.port()}).get(fmt::format("/api/v1/query?query={}", query));
    const auto json = nlohmann::json::parse(page.body, nullptr, false);
    if (!json.is_object() || !json.contains("data")) return "";
    const auto& result = json["data"]["result"];
    return result.empty() ? "" : result[0]["value"][1].get<std::string>();
  };
  EXPECT_TRUE(wait_until([&] { return answer("sum(orders_total)") == "3"; }))
      << read_file(folder_.path() + "/log");
  EXPECT_EQ(answer("sum(order_seconds_count)"), "3");
  EXPECT_EQ(answer("sum(pyhost_requests_total%7Bcode_class%3D%222xx%22%7D)"), "3");
}

}  // namespace
}  // namespace pyhost::test
