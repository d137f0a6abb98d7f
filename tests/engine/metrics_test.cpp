// What applications are told of the requests of their process.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>

#include "engine/engine_fixture.h"

namespace pyhost::test {
namespace {

using ::testing::Values;

// Each test in the main interpreter and in a sub-interpreter: what is counted is the process's, so
// every test begins with a window of its own.
class Metrics : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { ask("mod_wsgi.start_recording_metrics() or mod_wsgi.request_metrics()"); }

  // What the expression comes to, `m` being what request_metrics() gives.
  std::string measured(std::string_view expression) {
    return ask(fmt::format("[{} for m in [mod_wsgi.request_metrics()]][0]", expression));
  }
  std::string ask(std::string expression) {
    return run(script_, {.environ = {{"QUERY_STRING", std::move(expression)}}}, GetParam()).body();
  }
  Reply request(std::string path, FakeRequest request = {}) {
    request.environ.emplace_back("PATH_INFO", std::move(path));
    return run(script_, std::move(request), GetParam());
  }

  const Script script_{R"(
import time, mod_wsgi
mod_wsgi.event_callbacks.clear()
def application(environ, start_response):
    if environ['QUERY_STRING']:
        start_response('200 OK', [])
        return [str(eval(environ['QUERY_STRING'])).encode()]
    path = environ['PATH_INFO']
    if path == '/raises':
        raise ValueError
    if path == '/sleeps':
        time.sleep(0.02)
    body = environ['wsgi.input'].read()
    start_response('404 Not Found' if path == '/missing' else '200 OK', [])
    return [body, b'', b'12345']
)"};
};

INSTANTIATE_TEST_SUITE_P(, Metrics, Values("", "sub"), [](const auto& test) {
  return *test.param == '\0' ? "OfTheMainInterpreter" : "OfASubInterpreter";
});

constexpr char kAlways[] =
    "['capacity_utilization', 'cpu_system_time', 'cpu_system_utilization', 'cpu_time', "
    "'cpu_user_time', 'cpu_user_utilization', 'cpu_utilization', 'gil_wait_count', 'input_bytes', "
    "'input_reads', 'memory_max_rss', 'memory_rss', 'output_bytes', 'output_writes', 'pid', "
    "'request_count', 'request_threads_active', 'request_threads_buckets', "
    "'request_threads_busy_time', 'request_threads_completed', 'request_threads_cpu_time', "
    "'request_threads_current_elapsed', 'request_threads_max_duration', 'request_threads_maximum', "
    "'request_threads_started', 'request_throughput', 'sample_period', 'start_time', "
    "'status_1xx', 'status_2xx', 'status_3xx', 'status_4xx', 'status_5xx', 'stop_time']";

TEST_P(Metrics, OfRequestsHaveTheseKeys) {
  EXPECT_EQ(measured("sorted(key for key in m if '_time_' not in key and not (key.endswith('_time')"
                     " and key + '_buckets' in m) or key in ('cpu_user_time',))"),
            kAlways);
  EXPECT_EQ(measured("sorted(key for key in m if key.endswith('_time_buckets'))"),
            "['application_time_buckets', 'daemon_time_buckets', 'gil_wait_time_buckets', "
            "'input_read_time_buckets', 'output_write_time_buckets', 'queue_time_buckets', "
            "'request_time_buckets', 'server_time_buckets']");
  EXPECT_EQ(measured("{len(m[key]) for key in m if key.endswith('_time_buckets')}"), "{65}");
  EXPECT_EQ(measured("sum(key.endswith(('_time_min_us', '_time_max_us')) for key in m)"), "16");
}

TEST_P(Metrics, CountRequestsTheirStatusesAndTheirBytes) {
  request("/");
  request("/missing", {.body = "four"});
  request("/raises");
  // The request that asks runs still; the one that SetUp() made has ended in this window.
  EXPECT_EQ(measured("(m['request_count'], m['status_2xx'], m['status_4xx'], m['status_5xx'], "
                     "m['status_1xx'], m['status_3xx'])"),
            "(4, 2, 1, 1, 0, 0)");
  request("/missing", {.body = "four"});
  EXPECT_EQ(measured("(m['input_bytes'], m['input_reads'], m['output_writes'] >= 3)"),
            "(4, 1, True)");
}

TEST_P(Metrics, CountARequestWhoseScriptCannotBeImported) {
  const Script broken("raise ValueError('at the import')");
  EXPECT_EQ(run(broken, {}, GetParam()).refused(), 500);
  EXPECT_EQ(measured("(m['request_count'], m['status_2xx'], m['status_5xx'])"), "(2, 1, 1)");
}

TEST_P(Metrics, TimeTheApplication) {
  request("/sleeps");
  EXPECT_EQ(measured("m['application_time_max_us'] >= 20_000 and m['application_time'] > 0 and "
                     "m['application_time_min_us'] <= m['application_time_max_us'] and "
                     "sum(m['application_time_buckets']) == m['request_count'] == 2 and "
                     "max(m['request_threads_max_duration']) >= 0.02 and "
                     "sum(m['request_threads_busy_time']) >= 0.02"),
            "True");
}

TEST_P(Metrics, HaveNoTimesOfAWorkerInHttpd) {
  request("/");
  EXPECT_EQ(measured("(m['queue_time'], m['queue_time_min_us'], m['daemon_time'], "
                     "sum(m['queue_time_buckets']), m['server_time'] > 1e6)"),
            "(None, None, None, 0, True)");
}

TEST_P(Metrics, AreOfAWindowThatBeginsWhereTheLastOneHasEnded) {
  EXPECT_EQ(ask("[first['stop_time'] == second['start_time'] < second['stop_time'] and "
                "second['sample_period'] > 0 and second['request_count'] == 0 for first, second in "
                "[(mod_wsgi.request_metrics(), time.sleep(0.001) or mod_wsgi.request_metrics())]]"),
            "[True]");
}

TEST_P(Metrics, KnowWhichThreadsAreBusy) {
  // The one that asks.
  EXPECT_EQ(measured("(m['request_threads_maximum'], m['request_threads_active'], "
                     "sum(each > 0 for each in m['request_threads_current_elapsed']), "
                     "m['request_threads_buckets'] == m['request_threads_completed'], "
                     "0 < m['capacity_utilization'] <= 1)"),
            "(1, 1, 1, True, True)");
}

TEST_P(Metrics, OfTheProcessAddUp) {
  EXPECT_EQ(ask("sorted(mod_wsgi.process_metrics())"),
            "['active_requests', 'cpu_system_time', 'cpu_time', 'cpu_user_time', 'current_time', "
            "'memory_max_rss', 'memory_rss', 'pid', 'request_busy_time', 'request_count', "
            "'request_threads', 'restart_time', 'running_time', 'threads']");
  const int before = std::stoi(ask("mod_wsgi.process_metrics()['request_count']"));
  request("/");
  EXPECT_EQ(ask(fmt::format("[p['request_count'] - {}, p['active_requests'], "
                            "sum(t['request_count'] for t in p['threads']) == p['request_count'], "
                            "p['request_threads'] == len(p['threads']) >= 1, "
                            "p['restart_time'] < time.time(), p['running_time'] < 3600, "
                            "p['pid'] == __import__('os').getpid()]"
                            " for p in [mod_wsgi.process_metrics()]",
                            before)
                    .insert(0, "[")
                    .append("][0]")),
            "[2, 1, True, True, True, True, True]");
}

TEST_P(Metrics, OfTheServerAreHttpds) {
  EXPECT_EQ(ask("mod_wsgi.server_metrics()"), "None");
}

TEST(MetricsBeforeTheyAreStarted, AreNone) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  // In a process of its own: what is started stays so.
  EXPECT_EXIT(
      {
        const Reply reply = run_source(R"(
import mod_wsgi
def application(environ, start_response):
    start_response('200 OK', [])
    return [str((mod_wsgi.request_metrics(), mod_wsgi.process_metrics())).encode()]
)");
        if (reply.body() != "(None, None)") abort();
        leave_process();
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace pyhost::test
