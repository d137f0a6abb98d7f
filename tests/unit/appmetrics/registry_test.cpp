// What applications measure, from the writing processes to the one that reads.
#include "appmetrics/registry.h"

#include <fcntl.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "appmetrics/names.h"
#include "appmetrics/reset.h"
#include "harness/metrics_memory.h"

namespace pyhost::appmetrics {
namespace {

using testing::ElementsAre;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class AppMetrics : public testing::Test {
 protected:
  // The worker of that generation in a slot, which has two lanes.
  Registry& worker(std::uint32_t slot, std::uint32_t generation) {
    const Seat seat{.slot = slot, .lane = 2 * slot + generation % 2, .owner = generation};
    take_lane(memory_, seat);
    return *workers_.emplace_back(std::make_unique<Registry>(memory_, seat));
  }
  void end(std::uint32_t slot, std::uint32_t generation) {
    note_end(memory_, 2 * slot + generation % 2, generation);
  }
  double value(std::string_view name) const { return value_in(read(memory_), name); }

  PlayedMemory played_{{.bytes = 64 * 1024, .slots = 4, .lanes_per_slot = 2}};
  Memory memory_ = played_.map();
  std::vector<std::unique_ptr<Registry>> workers_;
};

TEST_F(AppMetrics, CountOverWorkersAndTheirSuccessors) {
  counter(worker(0, 1), "orders").add(2);
  counter(worker(1, 1), "orders").add(0.5);
  counter(worker(0, 2), "orders").add(1);
  EXPECT_EQ(value("orders"), 3.5);
}

TEST_F(AppMetrics, AreShownByNameAndLabels) {
  Registry& registry = worker(0, 1);
  counter(registry, "z", {"a", "b"}, {"2", "x"}).add(1);
  counter(registry, "z", {"a", "b"}, {"1", "y\n\"\\"}).add(2);
  counter(registry, "b").add(1);
  const Reading reading = read(memory_);
  ASSERT_EQ(reading.families.size(), 2u);
  EXPECT_EQ(reading.families[0].name, "b");
  const Family& z = reading.families[1];
  EXPECT_EQ(z.help, "help");
  EXPECT_THAT(z.labels, ElementsAre("a", "b"));
  ASSERT_EQ(z.samples.size(), 2u);
  EXPECT_THAT(z.samples[0].values, ElementsAre("1", "y\n\"\\"));
  EXPECT_EQ(std::get<double>(z.samples[0].value), 2);
}

TEST_F(AppMetrics, ShareLinesOnlyWithCountersOfTheSameProcess) {
  Registry& first = worker(0, 1);
  Registry& second = worker(1, 1);
  const CellsPlace a = counter(first, "a").place(), b = counter(second, "b").place();
  EXPECT_EQ(a.at / kCellsOfLine, b.at / kCellsOfLine);
  EXPECT_EQ(a.stride, kCellsOfLine);
  EXPECT_EQ(a.ways, 4u);
}

TEST_F(AppMetrics, MergeGaugesAsTheyAreToldTo) {
  for (const auto& [slot, number] : {std::pair(0u, 3.0), std::pair(1u, 5.0)}) {
    Registry& registry = worker(slot, 1);
    gauge(registry, "sum", Merge::sum).set_gauge(number);
    gauge(registry, "max", Merge::max).set_gauge(number);
    gauge(registry, "min", Merge::min).set_gauge(number);
    gauge(registry, "last", Merge::last).set_gauge(number);
    gauge(registry, "live", Merge::live).add_gauge(number);
  }
  EXPECT_EQ(value("sum"), 8);
  EXPECT_EQ(value("max"), 5);
  EXPECT_EQ(value("min"), 3);
  EXPECT_EQ(value("last"), 5);
  EXPECT_EQ(value("live"), 8);
  end(1, 1);
  EXPECT_EQ(value("sum"), 8) << "until the slot has another worker";
  EXPECT_EQ(value("live"), 3);
  worker(1, 2);
  EXPECT_EQ(value("sum"), 3);
  EXPECT_EQ(value("max"), 3);
  EXPECT_EQ(value("last"), 5);
}

TEST_F(AppMetrics, KeepAGaugeOfAWorkerApartFromThatOfItsSuccessor) {
  const SeriesCells before = gauge(worker(0, 1), "busy", Merge::sum);
  before.add_gauge(2);
  const SeriesCells after = gauge(worker(0, 2), "busy", Merge::sum);
  after.add_gauge(1);
  EXPECT_EQ(value("busy"), 3) << "both live";
  before.add_gauge(-2);
  EXPECT_EQ(value("busy"), 1);
  // The third has the lane of the first, which still lives.
  worker(0, 3);
  before.add_gauge(7);
  EXPECT_EQ(value("busy"), 1);
}

TEST_F(AppMetrics, CountWholeHistograms) {
  Registry& registry = worker(0, 1);
  const std::vector<double> bounds{0.1, 1};
  const auto family = registry.family(
      {.kind = Kind::histogram, .merge = {}, .name = "h", .labels = {}, .bounds = bounds}, "");
  const SeriesCells cells = registry.series(
      {.family = *family, .part = Part::whole, .bound = 0, .values = {}}, Spread::stripes, 4);
  for (const double each : {0.05, 0.1, 0.5, 7.0}) cells.observe(each, bounds);
  const auto reading = read(memory_);
  const auto& all = std::get<Distribution>(reading.families.at(0).samples.at(0).value);
  EXPECT_THAT(all.bounds, ElementsAre(0.1, 1, kInfinity));
  EXPECT_THAT(all.numbers, ElementsAre(2, 1, 1));
  EXPECT_DOUBLE_EQ(all.sum, 7.65);
}

TEST_F(AppMetrics, PutHistogramsTogetherThatComeInPieces) {
  Registry& registry = worker(0, 1);
  const auto family = registry.family(
      {.kind = Kind::histogram, .merge = {}, .name = "h", .labels = {"l"}, .bounds = {}}, "");
  const auto piece = [&](Part part, double bound) {
    return registry.series({.family = *family, .part = part, .bound = bound, .values = {"v"}},
                           Spread::stripes, 1);
  };
  piece(Part::sum, 0).add(3);
  piece(Part::bucket, 5).add(2);
  EXPECT_TRUE(read(memory_).families.at(0).samples.empty()) << "the last bucket is missing";
  piece(Part::bucket, kInfinity).add(1);
  const auto reading = read(memory_);
  const auto& all = std::get<Distribution>(reading.families.at(0).samples.at(0).value);
  EXPECT_THAT(all.numbers, ElementsAre(2, 1));
  EXPECT_EQ(all.sum, 3);
}

TEST_F(AppMetrics, ShowTheShapeThatWasAskedForLast) {
  counter(worker(0, 1), "a").add(1);
  counter(worker(0, 2), "a", {"kind"}, {"new"}).add(5);
  EXPECT_EQ(value("a"), 5);
  EXPECT_THAT(read(memory_).families.at(0).labels, ElementsAre("kind"));
  // The code of before is there again, and so is what it has counted.
  counter(worker(0, 3), "a").add(1);
  EXPECT_EQ(value("a"), 2);
}

TEST_F(AppMetrics, DropWhatThereIsNoRoomFor) {
  Registry& registry = worker(0, 1);
  int kept = 0;
  for (int i = 0; i < 2000; ++i) {
    const SeriesCells cells = counter(registry, "a", {"n"}, {std::to_string(i)});
    cells.add(1);
    if (cells.is_kept()) ++kept;
  }
  const Reading reading = read(memory_);
  EXPECT_GT(kept, 200);
  EXPECT_LT(kept, 2000);
  EXPECT_EQ(reading.families.at(0).samples.size(), static_cast<std::size_t>(kept));
  EXPECT_EQ(reading.dropped, 2000u - kept);
  EXPECT_TRUE(registry.may_complain());
  EXPECT_FALSE(worker(1, 1).may_complain());
  const SeriesCells again = counter(registry, "a", {"n"}, {"0"});
  EXPECT_TRUE(again.is_kept()) << "what is there stays";
}

TEST_F(AppMetrics, DropSeriesWithTextsThatAreTooLong) {
  const SeriesCells cells = counter(worker(0, 1), "a", {"n"}, {std::string(kKeyBytesMax, 'x')});
  cells.add(1);
  EXPECT_FALSE(cells.is_kept());
  EXPECT_EQ(read(memory_).dropped, 1u);
}

TEST_F(AppMetrics, BeginAnewWhenTheyAreReset) {
  Registry& registry = worker(0, 1);
  const SeriesCells orders = counter(registry, "orders");
  orders.add(5);
  gauge(registry, "busy", Merge::sum).set_gauge(2);
  reset(memory_);
  EXPECT_EQ(value("orders"), 0);
  EXPECT_EQ(value("busy"), -1);
  orders.add(1);
  EXPECT_EQ(value("orders"), 1);
}

TEST_F(AppMetrics, TakeNoMoreMemoryForEachRestart) {
  counter(worker(0, 1), "orders").add(1);
  gauge(*workers_.back(), "busy", Merge::live).add_gauge(1);
  const std::uint64_t end = memory_.header().heap_end;
  for (std::uint32_t generation = 2; generation <= 500; ++generation) {
    counter(worker(0, generation), "orders").add(1);
    gauge(*workers_.back(), "busy", Merge::live).add_gauge(1);
    this->end(0, generation - 1);
  }
  EXPECT_EQ(memory_.header().heap_end, end);
  EXPECT_EQ(value("orders"), 500);
  EXPECT_EQ(value("busy"), 1);
}

TEST(MetricsMemory, IsAFileThatKeepsItsSize) {
  const Shape shape{.bytes = 64 * 1024, .slots = 3, .lanes_per_slot = 2};
  const auto file = make_memory(shape).value();
  EXPECT_NE(::ftruncate(file.get(), 0), 0);
  EXPECT_NE(::ftruncate(file.get(), 1 << 20), 0);
  EXPECT_TRUE(fits(file.get(), shape));
  EXPECT_TRUE(fits(file.get(), {.bytes = 64 * 1024, .slots = 4, .lanes_per_slot = 2}));
  EXPECT_FALSE(fits(file.get(), {.bytes = 64 * 1024, .slots = 5, .lanes_per_slot = 2}));
  EXPECT_FALSE(fits(file.get(), {.bytes = 128 * 1024, .slots = 3, .lanes_per_slot = 2}));
  const Memory writer = Memory::map(file.get(), Access::write).value();
  const Memory reader = Memory::map(file.get(), Access::read).value();
  Registry registry(writer, {.slot = 0, .lane = 0, .owner = 1});
  counter(registry, "a").add(1);
  EXPECT_EQ(value_in(read(reader), "a"), 1);
}

TEST(MetricsMemory, IsRefusedWhenItIsNone) {
  const base::UniqueFd null(::open("/dev/null", O_RDWR));
  EXPECT_FALSE(Memory::map(null.get(), Access::read));
  PlayedMemory played({.bytes = kMemoryBytesMin, .slots = 1, .lanes_per_slot = 1});
  for (const std::uint32_t wrong : {0u, 3u, 1u << 20, ~0u}) {
    played.map().header().places = wrong;
    EXPECT_FALSE(Memory::over(played.bytes())) << wrong;
    lay_out(played.bytes(), {.bytes = kMemoryBytesMin, .slots = 1, .lanes_per_slot = 1});
  }
}

struct WrongName {
  FamilyKey key;
  const char* sentence;
};

TEST(MetricNames, AreHeldToWhatPrometheusTakes) {
  const auto family = [](std::string name, std::vector<std::string> labels = {},
                         std::vector<double> bounds = {}) {
    return FamilyKey{.kind = Kind::histogram,
                     .merge = {},
                     .name = std::move(name),
                     .labels = std::move(labels),
                     .bounds = std::move(bounds)};
  };
  for (const auto& good :
       {family("a"), family("job:orders_2"), family("_x", {"a", "_b", "group"})}) {
    EXPECT_TRUE(check_family(good)) << good.name;
  }
  const WrongName wrong[] = {
      {family(""), "no name for a metric"},
      {family("2x"), "no name for a metric"},
      {family("a-b"), "no name for a metric"},
      {family("a\n"), "'a\\n' is no name"},
      {family("pyhost_requests"), "is mod_pyhost's"},
      {family("a", {"le"}), "the name is in use"},
      {family("a", {"__x"}), "no name for a label of a"},
      {family("a", {"b", "b"}), "the label 'b' twice"},
      {family("a", {"x:y"}), "no name for a label"},
      {family("a", std::vector<std::string>(17, "b")), "more than 16 labels"},
      {family("a", {}, {1, 1}), "each above the one before"},
      {family("a", {}, {kInfinity}), "have to be at most 100 numbers"},
  };
  for (const auto& [key, sentence] : wrong) {
    const auto checked = check_family(key);
    ASSERT_FALSE(checked) << key.name;
    EXPECT_THAT(checked.error().sentence, testing::HasSubstr(sentence));
  }
}

}  // namespace
}  // namespace pyhost::appmetrics
