// Applications' own metrics, of several groups, in the text formats.
#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "harness/group_board.h"
#include "harness/metrics_memory.h"
#include "metrics/exposition.h"
#include "metrics/figures_json.h"
#include "metrics/group_figures.h"

namespace pyhost::metrics {
namespace {

using appmetrics::Distribution;
using appmetrics::Kind;
using appmetrics::Summary;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

appmetrics::Family family(Kind kind, std::string name,
                          std::variant<double, Distribution, Summary> value,
                          std::vector<std::string> labels = {},
                          std::vector<std::string> values = {}) {
  return {.kind = kind,
          .name = std::move(name),
          .help = "Some \"help\"\nin \\lines",
          .labels = std::move(labels),
          .samples = {{.values = std::move(values), .value = std::move(value)}}};
}

TEST(ApplicationText, IsThatOfAllGroupsFamilyByFamily) {
  Figures figures;
  figures.applications().add("a", {family(Kind::counter, "orders", 2.0, {"kind"}, {"x\"\\\n"})});
  figures.applications().add(
      "b", {family(Kind::counter, "orders", 1e20), family(Kind::gauge, "heat", -kInfinity)});
  const std::string text = prometheus_text(figures);
  EXPECT_THAT(text, HasSubstr("# HELP orders_total Some \"help\"\\nin \\\\lines\n"
                              "# TYPE orders_total counter\n"
                              "orders_total{group=\"a\",kind=\"x\\\"\\\\\\n\"} 2\n"
                              "orders_total{group=\"b\"} 1e+20\n"
                              "# HELP heat "));
  EXPECT_THAT(text, HasSubstr("heat{group=\"b\"} -Inf\n"));
  EXPECT_THAT(openmetrics_text(figures),
              HasSubstr("# TYPE orders counter\n# HELP orders Some \\\"help\\\"\\nin \\\\lines\n"
                        "orders_total{group=\"a\","));
}

TEST(ApplicationText, AddsBucketsUp) {
  Figures figures;
  figures.applications().add(
      "a", {family(Kind::histogram, "h",
                   Distribution{.bounds = {0.5, 1, kInfinity}, .numbers = {1, 2, 3}, .sum = 9.5}),
            family(Kind::summary, "s", Summary{.count = 2, .sum = 3})});
  EXPECT_THAT(prometheus_text(figures), AllOf(HasSubstr("# TYPE h histogram\n"
                                                        "h_bucket{group=\"a\",le=\"0.5\"} 1\n"
                                                        "h_bucket{group=\"a\",le=\"1.0\"} 3\n"
                                                        "h_bucket{group=\"a\",le=\"+Inf\"} 6\n"
                                                        "h_sum{group=\"a\"} 9.5\n"
                                                        "h_count{group=\"a\"} 6\n"),
                                              HasSubstr("# TYPE s summary\n"
                                                        "s_count{group=\"a\"} 2\n"
                                                        "s_sum{group=\"a\"} 3\n")));
  EXPECT_EQ(json_of(figures)["h"][0]["count"], 6);
  EXPECT_EQ(json_of(figures)["s"][0]["labels"]["group"], "a");
}

TEST(ApplicationText, LeavesOutWhatCouldBeTakenForAnotherFamily) {
  Figures figures;
  figures.applications().add("a", {family(Kind::gauge, "orders", 1.0)});
  figures.applications().add(
      "b", {family(Kind::counter, "orders", 7.0), family(Kind::gauge, "h_count", 1.0),
            family(Kind::histogram, "h", Distribution{})});
  EXPECT_THAT(prometheus_text(figures),
              AllOf(HasSubstr("# TYPE orders gauge\norders{group=\"a\"} 1\n# HELP h_count"),
                    Not(HasSubstr(" 7\n")), Not(HasSubstr("h_bucket"))));
}

TEST(ApplicationText, NamesTheGroupWhateverTheApplicationsLabelsAre) {
  Figures figures;
  figures.applications().add("a", {family(Kind::gauge, "g", 1.0, {"group"}, {"mine"})});
  EXPECT_THAT(prometheus_text(figures), HasSubstr("g{group=\"a\",exported_group=\"mine\"} 1\n"));
}

TEST(ApplicationText, ComesFromTheMemoryOfAGroup) {
  test::GroupBoard board(3, 1, 1);
  const appmetrics::PlayedMemory played({.bytes = 65536, .slots = 1, .lanes_per_slot = 2});
  const appmetrics::Memory memory = played.map();
  appmetrics::Registry registry(memory, {.slot = 0, .lane = 0, .owner = 1});
  counter(registry, "orders").add(3);
  memory.header().dropped = 5;
  Figures figures;
  add_group(figures,
            {.name = "shop", .board = *board, .slots = 1, .threads = 5, .metrics_or_null = &memory},
            WorkerDetail::off, base::Clock::now());
  EXPECT_THAT(prometheus_text(figures),
              AllOf(HasSubstr("\norders_total{group=\"shop\"} 3\n"),
                    HasSubstr("pyhost_application_writes_dropped_total{group=\"shop\"} 5\n")));
}

}  // namespace
}  // namespace pyhost::metrics
