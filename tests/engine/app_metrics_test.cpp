// What applications measure, with the functions of mod_wsgi and with prometheus_client.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <string>

#include "engine/engine_fixture.h"
#include "harness/metrics_memory.h"

namespace pyhost::test {
namespace {

using appmetrics::Distribution;
using appmetrics::Family;
using appmetrics::Kind;
using appmetrics::PlayedMemory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// That of the process group which this process is of.
const PlayedMemory& memory() {
  static const PlayedMemory memory({.bytes = 256 * 1024, .slots = 2, .lanes_per_slot = 2});
  return memory;
}

}  // namespace

gateway::EngineSettings engine_settings() {
  return {.process_group = "shop",
          .metrics = {.bytes = memory().bytes(), .slot = 1, .lane = 2, .owner = 1},
          .metrics_of_prometheus_client = true};
}

namespace {

// In the main interpreter and in a sub-interpreter, which write to the same series.
class AppMetrics : public ::testing::TestWithParam<const char*> {
 protected:
  std::string run(std::string_view lines) {
    const Reply reply = run_source(fmt::format(R"(
import mod_wsgi
def refusal(call):
    try:
        call()
    except (ValueError, TypeError) as error:
        return f'{{type(error).__name__}}: {{error}}'
    return 'accepted'
answer = ''
{}
def application(environ, start_response):
    start_response('200 OK', [])
    return [str(answer).encode()]
)",
                                               lines),
                                   {}, GetParam());
    EXPECT_TRUE(reply.complete()) << reply.log();
    return reply.complete() ? reply.body() : reply.log();
  }
  // Each test has names of its own.
  std::string name(std::string_view name) const { return fmt::format("{}_{}", GetParam(), name); }
  Family family(const std::string& name) const {
    for (const Family& family : appmetrics::read(memory().map()).families) {
      if (family.name == name) return family;
    }
    ADD_FAILURE() << "there is no " << name;
    return {};
  }
  double value(const std::string& name, std::vector<std::string> labels = {}) const {
    for (const auto& sample : family(name).samples) {
      if (sample.values == labels) return std::get<double>(sample.value);
    }
    return -1;
  }
};

INSTANTIATE_TEST_SUITE_P(, AppMetrics, ::testing::Values("m", "s"), [](const auto& test) {
  return *test.param == 'm' ? "OfOneInterpreter" : "OfAnother";
});

TEST_P(AppMetrics, CountAndMeasure) {
  run(fmt::format(R"(
orders = mod_wsgi.counter('{0}_orders_total', 'Orders that came in', ('kind',))
orders.labels('new').inc()
orders.labels(kind='new').inc(2.5)
orders.labels(7).inc(amount=0)
busy = mod_wsgi.gauge('{0}_busy', merge='max')
busy.set(5)
busy.inc()
busy.dec(2)
seconds = mod_wsgi.histogram('{0}_seconds', labels=['path'], buckets=[0.5, 1, float('inf')])
for value in 0.1, 0.5, 0.7, 9:
    seconds.labels('/a').observe(value)
)",
                  GetParam()));
  EXPECT_EQ(family(name("orders")).help, "Orders that came in");
  EXPECT_EQ(value(name("orders"), {"new"}), 3.5);
  EXPECT_EQ(value(name("orders"), {"7"}), 0);
  EXPECT_EQ(value(name("busy")), 4);
  const Family seconds = family(name("seconds"));
  EXPECT_THAT(seconds.labels, ElementsAre("path"));
  const auto& all = std::get<Distribution>(seconds.samples.at(0).value);
  EXPECT_THAT(all.numbers, ElementsAre(2, 1, 1));
}

TEST_P(AppMetrics, AreTheSameSeriesWhenTheyAreAskedForAgain) {
  for (int i = 0; i < 2; ++i) run(fmt::format("mod_wsgi.counter('{}').inc()", name("again")));
  EXPECT_EQ(value(name("again")), 2);
}

TEST_P(AppMetrics, TimeCountExceptionsAndTellWhatIsInProgress) {
  const std::string answer = run(fmt::format(R"(
errors = mod_wsgi.counter('{0}_errors')
seconds = mod_wsgi.histogram('{0}_time_seconds')
running = mod_wsgi.gauge('{0}_running')
@errors.count_exceptions()
@seconds.time()
@running.track_inprogress()
def work(fails):
    """Works."""
    if fails:
        raise KeyError
work(False)
answer = [refusal(lambda: 1), work.__doc__]
for count in errors.count_exceptions(OSError), errors.count_exceptions(LookupError), errors.count_exceptions():
    try:
        with count, seconds.time():
            raise KeyError
    except KeyError:
        pass
last = mod_wsgi.gauge('{0}_last')
with last.time():
    pass
mod_wsgi.gauge('{0}_at', merge='last').set_to_current_time()
)",
                                             GetParam()));
  EXPECT_THAT(answer, HasSubstr("Works."));
  EXPECT_EQ(value(name("errors")), 2);
  EXPECT_EQ(value(name("running")), 0);
  EXPECT_GE(value(name("last")), 0);
  EXPECT_GT(value(name("at")), 1.6e9);
  const Family seconds = family(name("time_seconds"));
  double count = 0;
  for (const double each : std::get<Distribution>(seconds.samples.at(0).value).numbers) {
    count += each;
  }
  EXPECT_EQ(count, 4);
}

TEST_P(AppMetrics, SayWhatIsWrong) {
  const std::pair<const char*, const char*> wrong[] = {
      {"mod_wsgi.counter('no name')", "ValueError: 'no name' is no name for a metric"},
      {"mod_wsgi.counter('pyhost_x')", "ValueError: 'pyhost_x' is no name for a metric of an"},
      {"mod_wsgi.counter('a', labels='kind')", "TypeError: labels must be a tuple or list of str"},
      {"mod_wsgi.counter('a', labels=('le',))", "ValueError: a cannot have a label 'le'"},
      {"mod_wsgi.counter('a').inc(-1)", "ValueError: a counter cannot become less"},
      {"mod_wsgi.counter('a').inc('x')", "TypeError: must be real number, not str"},
      {"mod_wsgi.counter('a').inc(1, 2)", "TypeError: inc() takes a number, amount"},
      {"mod_wsgi.counter('a').labels('x')", "ValueError: a has no labels"},
      {"mod_wsgi.counter('b', labels=('k', 'l')).inc()",
       "ValueError: b has labels: use what labels(k, l) returns"},
      {"mod_wsgi.counter('b', labels=('k', 'l')).labels('x')",
       "ValueError: labels() of b takes a value for each of k, l"},
      {"mod_wsgi.counter('b', labels=('k', 'l')).labels(k=1, m=2)",
       "ValueError: labels() of b takes a value for each of k, l"},
      {"mod_wsgi.counter('b', labels=('k',)).labels('\\udc00')",
       "UnicodeEncodeError: 'utf-8' codec can't"},
      {"mod_wsgi.gauge('g', merge='all')", "ValueError: merge must be 'sum', 'max'"},
      {"mod_wsgi.histogram('h', buckets=[2, 1])", "ValueError: the buckets of h have to be"},
      {"mod_wsgi.Counter()", "TypeError: cannot create 'mod_wsgi.Counter' instances"},
  };
  for (const auto& [call, sentence] : wrong) {
    EXPECT_THAT(run(fmt::format("answer = refusal(lambda: {})", call)), HasSubstr(sentence));
  }
}

TEST_P(AppMetrics, LoseNothingOfThreads) {
  run(fmt::format(R"(
import threading
counter = mod_wsgi.counter('{0}', labels=('n',))
def work():
    for i in range(1000):
        counter.labels(str(i % 3)).inc()
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
)",
                  name("threads")));
  double sum = 0;
  for (const auto& sample : family(name("threads")).samples) sum += std::get<double>(sample.value);
  EXPECT_EQ(sum, 4000);
}

// As Debian has it, and nothing else: what an application of it knows of us is its own exposition.
TEST_P(AppMetrics, KeepWhatPrometheusClientMeasures) {
  const std::string answer = run(fmt::format(R"(
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest
registry = CollectorRegistry()
orders = Counter('{0}_pc_orders', 'Orders', ['kind'], registry=registry)
orders.labels('new').inc(2)
Gauge('{0}_pc_busy', 'Busy', registry=registry, multiprocess_mode='livesum').set(3)
Summary('{0}_pc_sizes', 'Sizes', registry=registry).observe(5)
seconds = Histogram('{0}_pc_seconds', 'Seconds', registry=registry, buckets=(1, 2))
seconds.observe(1.5)
seconds.observe(9)
answer = generate_latest(registry).decode()
)",
                                             GetParam()));
  EXPECT_THAT(answer, HasSubstr(name("pc_orders_total{kind=\"new\"} 2.0")));
  EXPECT_THAT(answer, HasSubstr(name("pc_busy 3.0")));
  EXPECT_THAT(answer, HasSubstr(name("pc_seconds_bucket{le=\"2.0\"} 1.0")));
  EXPECT_EQ(value(name("pc_orders"), {"new"}), 2);
  EXPECT_EQ(value(name("pc_busy")), 3);
  const auto sizes = std::get<appmetrics::Summary>(family(name("pc_sizes")).samples.at(0).value);
  EXPECT_EQ(sizes.count, 1);
  EXPECT_EQ(sizes.sum, 5);
  const auto all = std::get<Distribution>(family(name("pc_seconds")).samples.at(0).value);
  EXPECT_THAT(all.numbers, ElementsAre(0, 1, 1));
  EXPECT_EQ(all.sum, 10.5);
}

TEST_P(AppMetrics, LeaveToTheProcessWhatCannotBeKept) {
  EXPECT_EQ(run(R"(
from prometheus_client import values
value = values.ValueClass('counter', 'pyhost_x', 'pyhost_x_total', (), (), 'Help')
value.inc(2)
value.set(5, timestamp=1)
value.set_exemplar('one')
answer = value.get(), value.get_exemplar(), values.get_value_class() is values.ValueClass
)"),
            "(5.0, 'one', True)");
}

// The last one, as it leaves no room.
TEST_P(AppMetrics, DropWhatIsTooMuchAndTellItOnce) {
  run(R"(
counter = mod_wsgi.counter('many', labels=('n',))
for n in range(10000):
    counter.labels(str(n)).inc()
)");
  EXPECT_GT(appmetrics::read(memory().map()).dropped, 0u);
  const std::string told = server_log().text_of(base::Message::metrics_exhausted);
  EXPECT_EQ(std::ranges::count(told, '\n'), 1) << told;
}

}  // namespace
}  // namespace pyhost::test
