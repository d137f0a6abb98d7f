#include "scoreboard/queue.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "harness/group_board.h"
#include "harness/wait.h"

namespace pyhost::scoreboard {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kSlot = 0;
constexpr std::uint32_t kPlaces = 1000;

// One worker.
class QueueTest : public testing::Test {
 protected:
  void serve_with(std::uint32_t threads) {
    board_->begin_generation(kSlot, 100, 1, threads);
    board_->set_state(kSlot, scoreboard::SlotState::ready);
  }

  scoreboard::Queue queue() { return board_->queue(); }

  std::uint32_t free_threads() {
    const scoreboard::SlotStatus worker = board_->status(kSlot);
    return worker.capacity - std::min(worker.capacity, worker.busy());
  }

  std::optional<scoreboard::Waiter> enter(base::Clock::time_point arrival) {
    return queue().enter(child_, kPlaces, arrival);
  }

  // Until the lease is taken.
  scoreboard::LeaseId wait_for_lease(scoreboard::ChildId child, scoreboard::Waiter& waiter) {
    for (bool first = true;; first = false) {
      waiter.listen();
      while (waiter.may_take(free_threads()) && free_threads() != 0) {
        waiter.step_out();
        if (const auto lease = board_->take_lease(child, kSlot)) return *lease;
        waiter.step_back();
      }
      if (first) ++have_to_wait_;
      waiter.wait_until(base::Clock::now() + 60s);
    }
  }

  // Somebody who waits so long that the order is kept from here on.
  void keep_order() {
    auto waiter = enter(base::Clock::now() - 2 * scoreboard::Queue::kOrderAfter);
    ASSERT_TRUE(waiter);
    static_cast<void>(waiter->may_take(0));
  }

  test::GroupBoard board_{1, 4, 8};
  scoreboard::ChildId child_ = *board_->add_child(1);
  std::atomic<int> have_to_wait_ = 0;  // only a call makes them try again
};

TEST_F(QueueTest, IsWokenWhenTheWorkerItselfMakesRoom) {
  serve_with(1);
  scoreboard::ReportWriter worker = board_.writer(kSlot, 1);
  worker.note_running(1);
  std::atomic<bool> served = false;
  std::thread waits([&] {
    auto waiter = enter(base::Clock::now() - 2 * scoreboard::Queue::kOrderAfter);
    board_->give_lease_back(child_, wait_for_lease(child_, *waiter));
    served = true;
  });
  EXPECT_TRUE(test::wait_until([&] { return have_to_wait_ == 1; }));
  // It may have looked, and not sleep yet.
  EXPECT_TRUE(test::wait_until([&] {
    worker.note_running(1);
    worker.note_running(0);
    return served.load();
  }));
  waits.join();
  EXPECT_EQ(board_->status(kSlot).busy(), 0u);
}

TEST_F(QueueTest, HasAsManyPlacesAsTold) {
  auto first = queue().enter(child_, 1, base::Clock::now());
  EXPECT_TRUE(first);
  EXPECT_FALSE(queue().enter(child_, 1, base::Clock::now()));
  EXPECT_EQ(queue().length(), 1u);
  first.reset();
  EXPECT_TRUE(queue().enter(child_, 1, base::Clock::now()));
  EXPECT_EQ(queue().length(), 0u);
}

TEST_F(QueueTest, LetsAnybodyTakeAPlaceWhileNobodyHasWaitedLong) {
  // However long the test takes.
  const auto in_an_hour = base::Clock::now() + 1h;
  auto older = enter(in_an_hour);
  auto younger = enter(in_an_hour + 1ms);
  EXPECT_FALSE(queue().keeps_order());
  EXPECT_TRUE(younger->may_take(1));
}

TEST_F(QueueTest, KeepsTheOrderAsSoonAsSomebodyHasWaitedLong) {
  const auto long_ago = base::Clock::now() - 2 * scoreboard::Queue::kOrderAfter;
  auto oldest = enter(long_ago);
  auto second = enter(long_ago + 1ms);
  auto youngest = enter(base::Clock::now());
  EXPECT_FALSE(oldest->may_take(0));
  EXPECT_TRUE(queue().keeps_order());
  EXPECT_FALSE(second->may_take(1));
  EXPECT_TRUE(second->may_take(2));
  EXPECT_FALSE(youngest->may_take(2));
  EXPECT_TRUE(oldest->may_take(1));
}

TEST_F(QueueTest, OrdersByArrivalAndNotByEntry) {
  const auto now = base::Clock::now();
  auto younger = enter(now - scoreboard::Queue::kOrderAfter);
  auto older = enter(now - 2 * scoreboard::Queue::kOrderAfter);
  EXPECT_FALSE(older->may_take(0));
  EXPECT_TRUE(older->may_take(1));
  EXPECT_FALSE(younger->may_take(1));
}

TEST_F(QueueTest, CountsNobodyWhoHasSteppedOut) {
  const auto long_ago = base::Clock::now() - 2 * scoreboard::Queue::kOrderAfter;
  auto older = enter(long_ago);
  auto younger = enter(long_ago + 1ms);
  EXPECT_FALSE(younger->may_take(1));
  older->step_out();
  EXPECT_TRUE(younger->may_take(1));
  older->step_back();
  EXPECT_TRUE(older->may_take(1));
}

TEST_F(QueueTest, NobodyWaitsForWhoStandsAside) {
  const auto long_ago = base::Clock::now() - 2 * scoreboard::Queue::kOrderAfter;
  auto older = enter(long_ago);
  auto younger = enter(long_ago + 1ms);
  EXPECT_TRUE(older->stand_aside(true));
  EXPECT_FALSE(older->stand_aside(true));
  EXPECT_TRUE(younger->may_take(1));
  EXPECT_TRUE(older->may_take(1));
  EXPECT_TRUE(older->stand_aside(false));
  EXPECT_FALSE(younger->may_take(1));
}

TEST_F(QueueTest, ServesMoreWaitersThanItHasCellsFor) {
  std::vector<std::optional<scoreboard::Waiter>> waiters;
  for (int i = 0; i < 9; ++i) waiters.push_back(enter(base::Clock::now() - 1s + i * 1ms));
  EXPECT_EQ(queue().length(), 9u);
  EXPECT_TRUE(waiters[0]->may_take(1));
  EXPECT_FALSE(waiters[7]->may_take(1));
  EXPECT_TRUE(waiters[8]->may_take(1));
  waiters[8]->listen();
  waiters[8]->wait_until(base::Clock::now() + 60s);
}

TEST_F(QueueTest, CallsTheOldestFirst) {
  serve_with(1);
  keep_order();
  const auto taken = board_->take_lease(child_, kSlot);
  ASSERT_TRUE(taken);
  std::mutex mutex;
  std::vector<int> served;
  std::vector<std::thread> threads;
  const auto now = base::Clock::now();
  for (const int rank : {2, 0, 3, 1}) {
    threads.emplace_back([&, rank] {
      auto waiter = enter(now - 10s + rank * 1s);
      const scoreboard::LeaseId lease = wait_for_lease(child_, *waiter);
      waiter.reset();
      {
        const std::lock_guard lock(mutex);
        served.push_back(rank);
      }
      board_->give_lease_back(child_, lease);
    });
  }
  EXPECT_TRUE(test::wait_until([&] { return have_to_wait_ == 4; }));
  board_->give_lease_back(child_, *taken);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served, (std::vector<int>{0, 1, 2, 3}));
}

TEST_F(QueueTest, PassesOnTheCallOfOneThatGivesUp) {
  serve_with(1);
  const auto taken = board_->take_lease(child_, kSlot);
  ASSERT_TRUE(taken);
  auto leaving = enter(base::Clock::now() - 1s);
  leaving->listen();
  std::thread patient([&] {
    auto waiter = enter(base::Clock::now());
    wait_for_lease(child_, *waiter);
  });
  EXPECT_TRUE(test::wait_until([&] { return queue().length() == 2; }));
  board_->give_lease_back(child_, *taken);
  leaving.reset();
  patient.join();
  EXPECT_EQ(board_->status(kSlot).outstanding, 1u);
}

TEST_F(QueueTest, GoesPastOneThatWasKilled) {
  serve_with(1);
  const auto taken = board_->take_lease(child_, kSlot);
  ASSERT_TRUE(taken);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const scoreboard::ChildId child = *board_->add_child(::getpid());
    auto waiter = queue().enter(child, kPlaces, base::Clock::now() - 10s);
    waiter->listen();
    // The order that it asks for is kept for a moment only.
    while (true) {
      static_cast<void>(waiter->may_take(0));
      std::this_thread::sleep_for(1ms);
    }
  }
  EXPECT_TRUE(test::wait_until([&] { return queue().keeps_order(); }));
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);

  board_->give_lease_back(child_, *taken);  // calls the dead
  auto waiter = enter(base::Clock::now() - 1s);
  EXPECT_FALSE(waiter->may_take(1));
  wait_for_lease(child_, *waiter);
  waiter.reset();
  EXPECT_EQ(queue().length(), 1u);
  board_->forget_child(child);
  EXPECT_EQ(queue().length(), 0u);
  EXPECT_TRUE(enter(base::Clock::now())->may_take(1));
}

TEST_F(QueueTest, WakesEverybodyForANewWorker) {
  std::atomic<int> served = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      auto waiter = enter(base::Clock::now() - 1s);
      wait_for_lease(child_, *waiter);
      ++served;
    });
  }
  EXPECT_TRUE(test::wait_until([&] { return queue().length() == 4; }));
  serve_with(4);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served, 4);
}

// A call that got lost would leave a waiter asleep beside a free lease for a minute.
TEST_F(QueueTest, LosesNoCall) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 10000;
  serve_with(2);
  const std::vector<scoreboard::ChildId> children{child_, *board_->add_child(2),
                                                  *board_->add_child(3)};
  std::atomic<int> given_up = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i, child = children[static_cast<std::size_t>(i) % children.size()]] {
      for (int round = 0; round < kRounds; ++round) {
        // Some as if they had waited long, some that give up.
        const auto age = (round + i) % 3 == 0 ? 1s : 0s;
        auto waiter = queue().enter(child, kPlaces, base::Clock::now() - age);
        if ((round + i) % 7 == 0) {
          waiter->listen();
          ++given_up;
          continue;
        }
        const scoreboard::LeaseId lease = wait_for_lease(child, *waiter);
        waiter.reset();
        board_->give_lease_back(child, lease);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(given_up, 0);
  EXPECT_EQ(queue().length(), 0u);
  EXPECT_EQ(board_->status(kSlot).outstanding, 0u);
}

}  // namespace
}  // namespace pyhost::scoreboard
