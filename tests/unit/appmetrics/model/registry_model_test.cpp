// Processes that ask for the same series, and one that reads, in every order in which they can get
// into each other's way; one of them may be killed at any moment.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/metrics_memory.h"
#include "model/scheduler.h"

namespace pyhost::appmetrics {
namespace {

using test::Actor;
using test::Course;

constexpr Shape kShape{.bytes = kMemoryBytesMin, .slots = 1, .lanes_per_slot = 1};

class Model {
 public:
  Actor counts(std::string actor, const std::string& name) {
    return {.name = std::move(actor), .body = [this, name] {
              const Memory memory = memory_.map();
              Registry registry(memory, {.slot = 0, .lane = 0, .owner = 1});
              counter(registry, name).add(1);
            }};
  }
  Actor mortal(Actor actor) {
    actor.after_death = [] {};
    return actor;
  }
  Actor reads() {
    return {.name = "r", .body = [this] { seen_ = value_in(read(memory_.map()), "a"); }};
  }

  double value(std::string_view name) const { return value_in(read(memory_.map()), name); }
  double seen() const { return seen_; }
  std::uint32_t series() const { return memory_.map().header().series; }
  std::uint64_t words_used() const {
    const Memory memory = memory_.map();
    return memory.header().heap_end - memory.heap_start();
  }

 private:
  PlayedMemory memory_{kShape};
  double seen_ = -1;
};

void explore(unsigned preemptions, const std::function<std::vector<Actor>(Model&)>& cast,
             const std::function<void(Model&, const Course&)>& check) {
  std::unique_ptr<Model> model;
  const std::size_t runs = test::Scheduler::explore(
      preemptions,
      [&] {
        model = std::make_unique<Model>();
        return cast(*model);
      },
      [&](const Course& course) {
        check(*model, course);
        if (testing::Test::HasFailure()) ADD_FAILURE() << "in the course " << course.steps;
        return !testing::Test::HasFailure();
      });
  EXPECT_GT(runs, 100u);
}

TEST(RegistryModel, LosesNothingOfTwoThatAskForTheSameSeries) {
  explore(
      2,
      [](Model& model) {
        return std::vector{model.counts("x", "a"), model.counts("y", "a")};
      },
      [](Model& model, const Course&) {
        EXPECT_EQ(model.value("a"), 2);
        EXPECT_EQ(model.series(), 1u);
      });
}

TEST(RegistryModel, KeepsDifferentSeriesApart) {
  explore(
      2,
      [](Model& model) {
        return std::vector{model.counts("x", "a"), model.counts("y", "b")};
      },
      [](Model& model, const Course&) {
        EXPECT_EQ(model.value("a"), 1);
        EXPECT_EQ(model.value("b"), 1);
        EXPECT_EQ(model.series(), 2u);
      });
}

TEST(RegistryModel, ReadsNothingThatIsHalfMade) {
  explore(
      2,
      [](Model& model) {
        return std::vector{model.counts("x", "a"), model.reads()};
      },
      [](Model& model, const Course&) {
        EXPECT_TRUE(model.seen() == -1 || model.seen() == 0 || model.seen() == 1) << model.seen();
      });
}

TEST(RegistryModel, GoesOnBehindOneThatIsKilledAnywhere) {
  explore(
      1,
      [](Model& model) {
        return std::vector{model.mortal(model.counts("x", "a")), model.counts("y", "a")};
      },
      [](Model& model, const Course& course) {
        const double value = model.value("a");
        EXPECT_TRUE(value == 2 || (course.somebody_died && value == 1)) << value;
        // Not more than it may have taken for itself: the two records, and a chunk.
        EXPECT_LE(model.words_used(), 10u * kCellsOfLine);
      });
}

}  // namespace
}  // namespace pyhost::appmetrics
