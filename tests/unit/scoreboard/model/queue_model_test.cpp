// The queue and the leases, in every order in which up to four threads of different processes can
// get into each other's way.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/group_board.h"
#include "model/scheduler.h"
#include "scoreboard/queue.h"

namespace pyhost::scoreboard {
namespace {

using namespace std::chrono_literals;
using test::Actor;
using test::Course;

constexpr std::uint32_t kSlot = 0;
constexpr std::uint32_t kRoom = 10;
constexpr int kChildren = 4;
// How often a request looks again although nobody has called it, as remote/Admission does. A call
// that was lost costs that much, so none may be, unless somebody was killed.
constexpr auto kLookInterval = 250ms;

enum class Since {
  just_now,   // so that whoever comes may take a lease before it
  long_time,  // so that leases belong to those that wait, first come, first served
};

// One worker, and some children of httpd. Made anew for each run.
class Model {
 public:
  explicit Model(unsigned threads) {
    board_->begin_generation(kSlot, 100, 1, threads);
    board_->set_state(kSlot, SlotState::ready);
    for (int i = 0; i < kChildren; ++i) children_.push_back(*board_->add_child(i + 1));
  }

  // A request of that child holds the worker's thread.
  void hold(int child) { held_ = *board_->take_lease(children_[child], kSlot); }

  Actor gives_back(int child) {
    return {.name = "h",
            .body = [this, child] { board_->give_lease_back(children_[child], held_); }};
  }

  // A request that waits in the queue for its turn, is served, and leaves.
  Actor waits(std::string name, int child, Since since) {
    return {.name = name, .body = [this, name, child, since] {
              const auto age = since == Since::long_time ? 1s : 0s;
              auto waiter =
                  board_->queue().enter(children_[child], kRoom, base::Clock::now() - age);
              const LeaseId lease = take_lease(*waiter, child);
              waiter.reset();
              served_ += name;
              board_->give_lease_back(children_[child], lease);
            }};
  }

  // The same, and two such requests are served at the same time: each keeps its lease until the
  // other has one.
  Actor waits_for_company(std::string name, int child) {
    return {.name = name, .body = [this, name, child] {
              auto waiter = board_->queue().enter(children_[child], kRoom, base::Clock::now() - 1s);
              const LeaseId lease = take_lease(*waiter, child);
              waiter.reset();
              served_ += name;
              if (served_.size() == 1) {
                test::Scheduler::sleep(&served_, base::Clock::now() + 10s);
              } else {
                test::Scheduler::wake(&served_, 1);
              }
              board_->give_lease_back(children_[child], lease);
            }};
  }

  // A request that enters the queue and gives up.
  Actor gives_up(int child) {
    return {.name = "g", .body = [this, child] {
              // Before all others in the line.
              auto waiter = board_->queue().enter(children_[child], kRoom, base::Clock::now() - 2s);
              waiter->listen();
              static_cast<void>(waiter->may_take(free_threads()));
            }};
  }

  // A request that looks for a lease before it enters a queue, and finds one or leaves.
  Actor passes_by(int child) {
    return {.name = "n", .body = [this, child] {
              if (board_->queue().keeps_order()) return;
              const auto lease = board_->take_lease(children_[child], kSlot);
              if (!lease) return;
              board_->give_lease_back(children_[child], *lease);
            }};
  }

  // The child may be killed at any moment, and httpd's parent notices.
  Actor mortal(Actor actor, int child) {
    actor.after_death = [this, child] { board_->forget_child(child + 1); };
    return actor;
  }

  const std::string& served() const { return served_; }
  bool is_at_rest() const {
    return board_->waiting() == 0 && board_->status(kSlot).outstanding == 0;
  }

 private:
  std::uint32_t free_threads() const {
    const SlotStatus worker = board_->status(kSlot);
    return worker.capacity - std::min(worker.capacity, worker.busy());
  }

  LeaseId take_lease(Waiter& waiter, int child) {
    while (true) {
      waiter.listen();
      while (true) {
        const std::uint32_t free = free_threads();
        if (!waiter.may_take(free) || free == 0) break;
        waiter.step_out();
        if (const auto lease = board_->take_lease(children_[child], kSlot)) return *lease;
        waiter.step_back();
      }
      waiter.wait_until(base::Clock::now() + kLookInterval);
    }
  }

  test::GroupBoard board_{1, kChildren, 2};
  std::vector<ChildId> children_;
  LeaseId held_;
  std::string served_;
};

// Explores all courses of what `cast` makes of a model, and checks each.
void explore(unsigned preemptions, const std::function<std::vector<Actor>(Model&)>& cast,
             const std::function<void(const Model&, const Course&)>& check, unsigned threads = 1) {
  std::unique_ptr<Model> model;
  const std::size_t runs = test::Scheduler::explore(
      preemptions,
      [&] {
        model = std::make_unique<Model>(threads);
        return cast(*model);
      },
      [&](const Course& course) {
        check(*model, course);
        EXPECT_TRUE(model->is_at_rest());
        if (testing::Test::HasFailure()) ADD_FAILURE() << "in the course " << course.steps;
        return !testing::Test::HasFailure();
      });
  testing::Test::RecordProperty("courses", static_cast<int>(runs));
  EXPECT_GT(runs, 100u);
}

TEST(QueueModel, WakesTheRequestThatWaits) {
  for (const Since since : {Since::just_now, Since::long_time}) {
    explore(
        3,
        [&](Model& model) {
          model.hold(0);
          return std::vector{model.waits("a", 1, since), model.gives_back(0)};
        },
        [](const Model& model, const Course& course) {
          EXPECT_EQ(model.served(), "a");
          EXPECT_EQ(course.timeouts, 0u);
        });
  }
}

TEST(QueueModel, PassesTheLeaseOnFromOneToTheNext) {
  for (const Since since : {Since::just_now, Since::long_time}) {
    explore(
        2,
        [&](Model& model) {
          model.hold(0);
          return std::vector{model.waits("a", 1, since), model.waits("b", 2, since),
                             model.gives_back(0)};
        },
        [](const Model& model, const Course& course) {
          EXPECT_EQ(model.served().size(), 2u);
          EXPECT_EQ(course.timeouts, 0u);
        });
  }
}

TEST(QueueModel, CallsTwoForTwoLeases) {
  explore(
      1,
      [](Model& model) {
        model.hold(0);
        model.hold(3);
        return std::vector{model.waits_for_company("a", 1), model.waits_for_company("b", 2),
                           model.gives_back(0), model.gives_back(3)};
      },
      [](const Model& model, const Course& course) {
        EXPECT_EQ(model.served().size(), 2u);
        EXPECT_EQ(course.timeouts, 0u);
      },
      2);
}

TEST(QueueModel, IsNotDeprivedOfItsCallByARequestThatPassesBy) {
  explore(
      2,
      [](Model& model) {
        model.hold(0);
        return std::vector{model.waits("a", 1, Since::just_now), model.passes_by(2),
                           model.gives_back(0)};
      },
      [](const Model& model, const Course& course) {
        EXPECT_EQ(model.served(), "a");
        EXPECT_EQ(course.timeouts, 0u);
      });
}

TEST(QueueModel, IsCalledWhenTheOneBeforeGivesUp) {
  explore(
      2,
      [](Model& model) {
        model.hold(0);
        return std::vector{model.gives_up(2), model.waits("a", 1, Since::long_time),
                           model.gives_back(0)};
      },
      [](const Model& model, const Course& course) {
        EXPECT_EQ(model.served(), "a");
        // Behind one that is about to leave it looks again after a moment.
        EXPECT_LT(course.slept, 100ms);
      });
}

TEST(QueueModel, LosesNothingWithAChildThatIsKilled) {
  for (const Since since : {Since::just_now, Since::long_time}) {
    explore(
        1,
        [&](Model& model) {
          model.hold(0);
          return std::vector{model.mortal(model.waits("a", 1, since), 1),
                             model.waits("b", 2, since), model.gives_back(0)};
        },
        [](const Model& model, const Course& course) {
          EXPECT_NE(model.served().find('b'), std::string::npos);
          if (!course.somebody_died) {
            EXPECT_EQ(course.timeouts, 0u);
          }
          // A child that was killed between its own count and the total leaves one too few in that;
          // then nobody is called until a look finds the lease.
          EXPECT_LE(course.slept, 2 * kLookInterval);
        });
  }
}

TEST(QueueModel, LosesNothingWithAChildThatIsKilledWhileItGivesBack) {
  explore(
      2,
      [](Model& model) {
        model.hold(0);
        return std::vector{model.mortal(model.gives_back(0), 0),
                           model.waits("a", 1, Since::long_time)};
      },
      [](const Model& model, const Course& course) {
        EXPECT_EQ(model.served(), "a");
        EXPECT_LE(course.slept, 2 * kLookInterval);
      });
}

}  // namespace
}  // namespace pyhost::scoreboard
