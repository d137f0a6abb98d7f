// What applications measure, as a server shows it.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "harness/command.h"
#include "harness/httpd.h"
#include "harness/soak.h"
#include "httpd/scrape.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// Counts its requests by their path, and its processes.
constexpr char kMeasures[] = R"(
import os, time, mod_wsgi

requests = mod_wsgi.counter('site_requests_total', 'Requests, "all"\nof them', ('path',))
seconds = mod_wsgi.histogram('site_seconds', buckets=(0.1, 1))
alive = mod_wsgi.gauge('site_alive', merge='live')
alive.set(1)
generation = mod_wsgi.gauge('site_generation', merge='max')

def application(environ, start_response):
    requests.labels(environ['PATH_INFO']).inc()
    seconds.observe(0.05)
    generation.inc()
    start_response('200 OK', [])
    return [str(os.getpid()).encode()]
)";

std::string groups(std::string_view options) {
  return fmt::format(
      "WSGIDaemonProcess shop {}\n"
      "WSGIScriptAlias /shop ${{ROOT}}/site.wsgi process-group=shop application-group=%{{GLOBAL}}\n"
      "WSGIScriptAlias /own ${{ROOT}}/site.wsgi application-group=%{{GLOBAL}}\n"
      "WSGIImportScript ${{ROOT}}/site.wsgi process-group=shop application-group=%{{GLOBAL}}\n"
      "<Directory ${{ROOT}}>\n  Require all granted\n</Directory>\n{}",
      options, kFigures);
}

Options with_site(const char* source = kMeasures) {
  return {.processes = default_mpm() == Mpm::prefork ? 4 : 2,
          .files = {{"site.wsgi", source}},
          .place = Place::embedded};
}

CommandResult pyhost(const Httpd& httpd, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), PYHOST_TEST_PROGRAM);
  arguments.insert(arguments.end(), {"--server-root", httpd.root()});
  return run_command(arguments);
}

constexpr char kOfA[] = "site_requests_total{group=\"shop\",path=\"/a\"}";

TEST(MetricsOfApplications, AreThoseOfAllWorkersUnderTheirOwnNames) {
  Httpd httpd(groups("processes=3 threads=1"), with_site());
  for (int i = 0; i < 30; ++i) EXPECT_EQ(httpd.get("/shop/a").status, 200);
  EXPECT_EQ(httpd.get("/shop/b").status, 200);
  EXPECT_EQ(httpd.get("/own/a").status, 200);
  ASSERT_TRUE(wait_for_sample(httpd, "site_alive{group=\"shop\"}", 3));
  const Scrape scrape = Scrape::of(httpd);
  EXPECT_EQ(scrape.value(kOfA), 30);
  EXPECT_EQ(scrape.value("site_requests_total{group=\"shop\",path=\"/b\"}"), 1);
  EXPECT_EQ(scrape.value("site_requests_total{group=\"%{GLOBAL}\",path=\"/a\"}"), 1);
  EXPECT_EQ(scrape.value("site_seconds_bucket{group=\"shop\",le=\"0.1\"}"), 31);
  EXPECT_EQ(scrape.value("site_seconds_count{group=\"shop\"}"), 31);
  EXPECT_EQ(scrape.value("pyhost_application_writes_dropped_total{group=\"shop\"}"), 0);
  const std::string text = httpd.get("/figures?metrics").body;
  EXPECT_THAT(text, HasSubstr("# HELP site_requests_total Requests, \"all\"\\nof them\n"
                              "# TYPE site_requests_total counter\n"));
  const Response openmetrics =
      httpd.request({.path = "/figures", .headers = {{"Accept", "application/openmetrics-text"}}});
  EXPECT_THAT(openmetrics.body, HasSubstr("# TYPE site_requests counter\n"
                                          "# HELP site_requests Requests, \\\"all\\\"\\nof them\n"
                                          "site_requests_total{"));
  const auto json = nlohmann::json::parse(httpd.get("/figures?json").body);
  EXPECT_EQ(json["site_seconds"].size(), 2u);
}

TEST(MetricsOfApplications, OutliveWorkersAndRestarts) {
  Httpd httpd(groups("processes=2 threads=1 shutdown-timeout=1"), with_site());
  for (const char* text : {"PH0356", "PH0357", "PH0406", "PH0407", "PH0450"}) {
    httpd.tolerate_log(text);
  }
  for (int i = 0; i < 5; ++i) EXPECT_EQ(httpd.get("/shop/a").status, 200);
  EXPECT_EQ(httpd.get("/own/a").status, 200);
  httpd.graceful();
  EXPECT_EQ(httpd.get("/shop/a").status, 200);
  EXPECT_EQ(httpd.get("/own/a").status, 200);
  for (const pid_t worker : httpd.running("pyhost-worker")) kill(worker, SIGKILL);
  EXPECT_TRUE(wait_until([&] { return httpd.get("/shop/b").status == 200; }));
  EXPECT_EQ(Scrape::of(httpd).value(kOfA), 6);
  EXPECT_EQ(Scrape::of(httpd).value("site_requests_total{group=\"%{GLOBAL}\",path=\"/a\"}"), 2);
  // Those that were killed count no more.
  EXPECT_TRUE(wait_for_sample(httpd, "site_alive{group=\"shop\"}", 2));
}

TEST(MetricsOfApplications, OutliveARestartThatIsRefused) {
  Options options = with_site();
  options.files.emplace_back("group.conf", "WSGIDaemonProcess shop\n");
  std::string config = groups("");
  config.replace(0, config.find('\n'), "Include ${ROOT}/group.conf");
  Httpd httpd(config, std::move(options));
  EXPECT_EQ(httpd.get("/shop/a").status, 200);
  httpd.write_file("group.conf", "WSGIDaemonProcess shop user=nobody-here\n");
  httpd.expect_log("PH0356: WSGIDaemonProcess shop: there is no user nobody-here");
  httpd.graceful();
  EXPECT_EQ(httpd.get("/shop/a").status, 200);
  EXPECT_EQ(Scrape::of(httpd).value(kOfA), 2);
  httpd.write_file("group.conf", "WSGIDaemonProcess shop\n");
  httpd.graceful();
  EXPECT_EQ(httpd.get("/shop/a").status, 200);
  EXPECT_EQ(Scrape::of(httpd).value(kOfA), 3);
}

TEST(MetricsOfApplications, AreShownToOperatorsAndResetByThem) {
  Httpd httpd(groups("metrics=64K"), with_site());
  EXPECT_EQ(httpd.get("/shop/a").status, 200);
  EXPECT_THAT(pyhost(httpd, {"metrics"}).output, HasSubstr(std::string(kOfA) + " 1\n"));
  const CommandResult reset = pyhost(httpd, {"metrics", "reset", "shop"});
  EXPECT_EQ(reset.exit_code, 0) << reset;
  EXPECT_THAT(reset.output, HasSubstr("what process group 'shop' measures begins anew"));
  EXPECT_THAT(pyhost(httpd, {"metrics", "shop"}).output, HasSubstr(std::string(kOfA) + " 0\n"));
  EXPECT_EQ(httpd.get("/shop/a").status, 200);
  EXPECT_EQ(Scrape::of(httpd).value(kOfA), 1);
  EXPECT_EQ(pyhost(httpd, {"metrics", "reset", "nobody"}).exit_code, 1);
}

TEST(MetricsOfApplications, CanBeTurnedOff) {
  Httpd httpd(groups("metrics=0"), with_site());
  EXPECT_EQ(httpd.get("/shop/a").status, 200);
  EXPECT_EQ(Scrape::of(httpd).value(kOfA), -1);
  const CommandResult reset = pyhost(httpd, {"metrics", "reset", "shop"});
  EXPECT_THAT(reset.output, HasSubstr("see metrics= of its WSGIDaemonProcess"));
}

TEST(MetricsOfApplications, AreTheSameForPrometheusClientIfThatIsWanted) {
  constexpr char kClient[] = R"(
from prometheus_client import Counter, generate_latest
requests = Counter('site_requests', 'Requests', ['path'])

def application(environ, start_response):
    requests.labels(environ['PATH_INFO']).inc()
    start_response('200 OK', [])
    return [generate_latest()]
)";
  for (const bool wanted : {true, false}) {
    Httpd httpd((wanted ? "WSGIMetrics On\n" : "") + groups("processes=3 threads=1"),
                with_site(kClient));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(httpd.get("/shop/a").status, 200);
    EXPECT_EQ(Scrape::of(httpd).value(kOfA), wanted ? 20 : -1);
    if (wanted) {
      EXPECT_THAT(httpd.get("/shop/a").body, HasSubstr("site_requests_total{path=\"/a\"} 21.0"));
    }
  }
}

TEST(MetricsOfApplications, AreThoseOfDjangoPrometheus) {
  constexpr char kSite[] = R"(
import os, sys
sys.path.insert(0, os.path.dirname(__file__))
os.environ['DJANGO_SETTINGS_MODULE'] = 'settings_of_site'
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
)";
  Options options = with_site(kSite);
  options.files.emplace_back("settings_of_site.py", R"(
SECRET_KEY = 'x'
ALLOWED_HOSTS = ['*']
ROOT_URLCONF = 'urls_of_site'
INSTALLED_APPS = ['django_prometheus']
MIDDLEWARE = ['django_prometheus.middleware.PrometheusBeforeMiddleware',
              'django_prometheus.middleware.PrometheusAfterMiddleware']
)");
  options.files.emplace_back("urls_of_site.py", R"(
from django.http import HttpResponse
from django.urls import include, path
urlpatterns = [path('', include('django_prometheus.urls')),
               path('a', lambda request: HttpResponse('served'))]
)");
  Httpd httpd("WSGIMetrics On\n" + groups("processes=2 threads=1"), std::move(options));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(httpd.get("/shop/a").status, 200);
  const std::string by_method = "django_http_requests_total_by_method_total{{{}method=\"GET\"}}";
  EXPECT_EQ(Scrape::of(httpd).value(fmt::format(fmt::runtime(by_method), "group=\"shop\",")), 10);
  // Its own view, in whichever worker, counts itself as well.
  EXPECT_THAT(httpd.get("/shop/metrics").body,
              HasSubstr(fmt::format(fmt::runtime(by_method), "") + " 11.0"));
}

TEST(MetricsOfApplications, NeverDecreaseWhileWorkersAreKilled) {
  Httpd httpd(groups("processes=3 threads=5 shutdown-timeout=2"), with_site());
  for (const char* text : {"PH0356", "PH0357", "PH0406", "PH0407", "PH0450", "PH0303"}) {
    httpd.tolerate_log(text);
  }
  std::atomic<bool> over = false;
  std::jthread clients[] = {std::jthread([&] {
                              while (!over) httpd.get("/shop/a");
                            }),
                            std::jthread([&] {
                              while (!over) httpd.get("/shop/b");
                            })};
  const auto ready = [&] {
    const Scrape scrape = Scrape::of(httpd);
    return scrape.value("pyhost_workers{group=\"shop\",state=\"idle\"}") +
           scrape.value("pyhost_workers{group=\"shop\",state=\"busy\"}");
  };
  std::mt19937 random(1);
  Scrape before = Scrape::of(httpd);
  const int kills_wanted = soaking() ? 1000 : 16;
  for (int kills = 0; kills < kills_wanted;) {
    ASSERT_TRUE(wait_until([&] { return ready() == 3; }));
    const auto workers = httpd.running("pyhost-worker");
    if (workers.empty()) continue;
    kills += kill(workers[random() % workers.size()], SIGKILL) == 0;
    Scrape now = Scrape::of(httpd);
    EXPECT_EQ(now.decrease_since(before), "");
    before = std::move(now);
  }
  over = true;
  for (auto& client : clients) client.join();
  EXPECT_GT(before.value(kOfA), 0);
}

// The group's own figures may suffer, and nothing else.
TEST(HostileMetrics, HarmNobodyElse) {
  constexpr char kHostile[] = R"(
import ctypes, mod_wsgi, random

own = mod_wsgi.counter('own')

def mappings():
    with open('/proc/self/maps') as maps:
        return [[int(text, 16) for text in line.split()[0].split('-')]
                for line in maps if 'pyhost-metrics' in line]

def spoil(start, end, how):
    if how != 'random':
        ctypes.memset(start, int(how, 16), end - start)
        return
    source = random.Random(1)
    for _ in range(20000):
        address = start + 8 * source.randrange((end - start) // 8)
        ctypes.c_uint64.from_address(address).value = source.choice(
            (0, 1, (1 << 64) - 1, source.getrandbits(64), source.getrandbits(12)))

def application(environ, start_response):
    own.inc()
    # None in a worker that was started when another had spoilt it.
    for start, end in mappings():
        spoil(start, end, environ['QUERY_STRING'])
    start_response('200 OK', [])
    return [b'done']
)";
  Options options = with_site();
  options.files.emplace_back("hostile.wsgi", kHostile);
  Httpd httpd(
      "WSGIDaemonProcess evil processes=2\n"
      "WSGIScriptAlias /evil ${ROOT}/hostile.wsgi process-group=evil\n" +
          groups(""),
      std::move(options));
  for (const char* text : {"PH0660", "PH0661"}) httpd.tolerate_log(text);
  EXPECT_EQ(httpd.get("/shop/a").status, 200);
  for (const char* how : {"random", "ff", "01", "random", "00"}) {
    EXPECT_EQ(httpd.get(std::string("/evil?") + how).body, "done");
    const Scrape scrape = Scrape::of(httpd);
    EXPECT_EQ(scrape.value(kOfA), 1);
    EXPECT_EQ(pyhost(httpd, {"metrics"}).exit_code, 0);
    pyhost(httpd, {"metrics", "reset", "evil"});
    httpd.graceful();
    EXPECT_EQ(httpd.get("/shop/b").status, 200);
    EXPECT_EQ(httpd.get("/evil?00").status, 200);
  }
  EXPECT_EQ(Scrape::of(httpd).value(kOfA), 1);
}

}  // namespace
}  // namespace pyhost::test
