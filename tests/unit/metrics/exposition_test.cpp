#include "metrics/exposition.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "harness/group_board.h"
#include "metrics/figures_json.h"
#include "metrics/group_figures.h"

namespace pyhost::metrics {
namespace {

using namespace std::chrono_literals;
using test::GroupBoard;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::array<std::uint64_t, 3> kBoundsUs{250, 1'000, 2'500'000};

Figures some_figures() {
  Figures figures;
  figures.add(Family::build_info, {{"version", "1.0"}, {"httpd", "2.4.62"}, {"python", "3.11"}},
              1.0);
  figures.add(Family::requests_total,
              {{"group", "a\\b\"c\n\xff"}, {"app", "x"}, {"code_class", "2xx"}}, 12345678.0);
  figures.add(Family::queue_wait_seconds, {{"group", "g"}},
              Buckets{.bounds_us = kBoundsUs, .numbers = {1, 0, 2, 4}, .sum_us = 1'500'001});
  return figures;
}

TEST(PrometheusText, HasHelpAndTypeBeforeTheSamplesOfAFamily) {
  const std::string text = prometheus_text(some_figures());
  EXPECT_THAT(text, HasSubstr("# TYPE pyhost_requests_total counter\n"
                              "pyhost_requests_total{group=\"a\\\\b\\\"c\\\\n\\\\xff\",app=\"x\","
                              "code_class=\"2xx\"} 12345678\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE pyhost_build_info gauge\n"
                              "pyhost_build_info{version=\"1.0\",httpd=\"2.4.62\",python=\"3.11\"} "
                              "1\n"));
  EXPECT_THAT(text, AllOf(Not(HasSubstr("# UNIT")), Not(HasSubstr("# EOF"))));
}

TEST(PrometheusText, AddsUpTheBucketsOfAHistogram) {
  EXPECT_THAT(prometheus_text(some_figures()),
              HasSubstr("pyhost_queue_wait_seconds_bucket{group=\"g\",le=\"0.00025\"} 1\n"
                        "pyhost_queue_wait_seconds_bucket{group=\"g\",le=\"0.001\"} 1\n"
                        "pyhost_queue_wait_seconds_bucket{group=\"g\",le=\"2.5\"} 3\n"
                        "pyhost_queue_wait_seconds_bucket{group=\"g\",le=\"+Inf\"} 7\n"
                        "pyhost_queue_wait_seconds_sum{group=\"g\"} 1.500001\n"
                        "pyhost_queue_wait_seconds_count{group=\"g\"} 7\n"));
}

TEST(PrometheusText, NamesEveryFamily) {
  const std::string text = prometheus_text(Figures());
  for (const FamilyInfo& family : all_families()) {
    EXPECT_THAT(text, HasSubstr("# HELP " + std::string(family.name) + " "));
  }
}

TEST(OpenMetricsText, DescribesAFamilyWithoutTheSuffixOfItsSamples) {
  const std::string text = openmetrics_text(some_figures());
  EXPECT_THAT(text, HasSubstr("# TYPE pyhost_requests counter\n# HELP pyhost_requests "));
  EXPECT_THAT(text, HasSubstr("\npyhost_requests_total{"));
  EXPECT_THAT(text, HasSubstr("# TYPE pyhost_build info\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE pyhost_queue_wait_seconds histogram\n"
                              "# UNIT pyhost_queue_wait_seconds seconds\n"));
  EXPECT_TRUE(text.ends_with("\n# EOF\n"));
}

TEST(FiguresAsJson, HaveEveryFamilyByItsName) {
  const auto json = json_of(some_figures());
  EXPECT_EQ(json.size(), all_families().size());
  EXPECT_EQ(json["pyhost_requests_total"][0]["value"], 12345678);
  EXPECT_EQ(json["pyhost_requests_total"][0]["labels"]["app"], "x");
  const auto& histogram = json["pyhost_queue_wait_seconds"][0];
  EXPECT_EQ(histogram["count"], 7);
  EXPECT_EQ(histogram["buckets"].back(), (nlohmann::ordered_json{nullptr, 7}));
  EXPECT_TRUE(json["pyhost_workers"].empty());
}

// Rates and alerts need a value to begin with.
TEST(GroupFigures, HaveAllMetricsFromTheStart) {
  GroupBoard board(3, 2, 2);
  Figures figures;
  add_build(figures, "2.4.62", {});
  add_group(figures, {.name = "shop", .board = *board, .slots = 1, .threads = 5}, WorkerDetail::on,
            base::Clock::now());
  for (std::size_t i = 0; i < all_families().size(); ++i) {
    EXPECT_FALSE(figures.of(Family(i)).empty()) << all_families()[i].name;
  }
  EXPECT_THAT(
      prometheus_text(figures),
      AllOf(HasSubstr("pyhost_requests_total{group=\"shop\",app=\"other\","
                      "code_class=\"5xx\"} 0\n"),
            HasSubstr("pyhost_requests_rejected_total{group=\"shop\",reason=\"queue_full\"} "
                      "0\n"),
            HasSubstr("pyhost_threads_limit{group=\"shop\"} 5\n"),
            HasSubstr("pyhost_worker_exits_total{group=\"shop\",cause=\"signalled\","
                      "signal=\"SIGKILL\"} 0\n")));
}

TEST(GroupFigures, HaveALabelForEachSampleThatTheTableNames) {
  GroupBoard board(3, 2, 2);
  Figures figures;
  add_build(figures, "2.4.62", {});
  add_group(figures, {.name = "shop", .board = *board, .slots = 1, .threads = 5}, WorkerDetail::on,
            base::Clock::now());
  for (std::size_t i = 0; i < all_families().size(); ++i) {
    for (const Sample& sample : figures.of(Family(i))) {
      std::string names;
      for (const Label& label : sample.labels) {
        names += (names.empty() ? "" : ", ") + std::string(label.name);
      }
      EXPECT_EQ(names, all_families()[i].labels) << all_families()[i].name;
    }
  }
}

TEST(GroupFigures, OfHttpdsOwnProcessesHaveNoWorkers) {
  GroupBoard board(0, 2, 2);
  const scoreboard::Tally tally = board->tally(*board->add_child(1));
  const auto now = base::Clock::now();
  const gateway::RequestTimes times{.arrived = now - 3s, .sent = now - 3s, .ended = now};
  tally.count({.application_group = "", .status = 503, .times = times});
  const scoreboard::RunningMark mark(tally.row_for(now - 90s));
  Figures figures;
  add_group(figures, {.name = "", .board = *board, .threads = 400}, WorkerDetail::off, now);
  EXPECT_TRUE(figures.of(Family::workers).empty());
  EXPECT_THAT(prometheus_text(figures),
              AllOf(HasSubstr("pyhost_requests_total{group=\"%{GLOBAL}\",app=\"%{GLOBAL}\","
                              "code_class=\"5xx\"} 1\n"),
                    HasSubstr("pyhost_request_duration_seconds_bucket{group=\"%{GLOBAL}\","
                              "app=\"%{GLOBAL}\",le=\"2.5\"} 0\n"),
                    HasSubstr("pyhost_request_duration_seconds_bucket{group=\"%{GLOBAL}\","
                              "app=\"%{GLOBAL}\",le=\"5.0\"} 1\n"),
                    HasSubstr("pyhost_threads_busy{group=\"%{GLOBAL}\"} 1\n"),
                    HasSubstr("pyhost_threads_limit{group=\"%{GLOBAL}\"} 400\n"),
                    HasSubstr("pyhost_oldest_request_seconds{group=\"%{GLOBAL}\"} 90\n")));
}

TEST(GroupFigures, TellTheStatesOfWorkers) {
  GroupBoard board(6, 2, 2);
  board->begin_generation(0, 100, 4, 5);
  board->set_state(0, scoreboard::SlotState::ready);
  board->begin_generation(3, 101, 7, 5);
  board->set_state(3, scoreboard::SlotState::ready);
  const auto child = *board->add_child(1);
  ASSERT_TRUE(board->take_lease(child, 3));
  Figures figures;
  add_group(figures, {.name = "g", .board = *board, .slots = 2, .threads = 5}, WorkerDetail::on,
            base::Clock::now());
  EXPECT_THAT(prometheus_text(figures),
              AllOf(HasSubstr("pyhost_workers{group=\"g\",state=\"idle\"} 1\n"),
                    HasSubstr("pyhost_workers{group=\"g\",state=\"busy\"} 1\n"),
                    HasSubstr("pyhost_threads_busy{group=\"g\"} 1\n"),
                    HasSubstr("pyhost_generation{group=\"g\"} 7\n"),
                    HasSubstr("pyhost_worker_threads_busy{group=\"g\",slot=\"1\"} 1\n")));
}

}  // namespace
}  // namespace pyhost::metrics
