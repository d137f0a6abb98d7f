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

#include "harness/group_board.h"
#include "harness/wait.h"

namespace pyhost::metrics {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kSlot = 0;
constexpr std::uint32_t kPlaces = 1000;

// One worker.
class QueueTest : public testing::Test {
 protected:
  void serve_with(std::uint32_t threads) {
    board_->begin_generation(kSlot, 100, 1, threads);
    board_->set_state(kSlot, SlotState::ready);
  }

  Queue queue() { return board_->queue(); }

  std::uint32_t free_places() {
    const SlotStatus worker = board_->status(kSlot);
    return worker.threads - std::min(worker.threads, worker.busy());
  }

  std::optional<Waiter> enter(Clock::time_point arrival) {
    return queue().enter(seat_, kPlaces, arrival);
  }

  // Until the place is taken.
  PlaceId wait_for_place(ChildSeat seat, Waiter& waiter) {
    for (bool first = true;; first = false) {
      waiter.listen();
      if (waiter.may_take(free_places()) && free_places() != 0) {
        waiter.step_out();
        if (const auto place = board_->take_place(seat, kSlot)) return *place;
        waiter.step_back();
      }
      if (first) ++have_to_wait_;
      waiter.wait_until(Clock::now() + 60s);
    }
  }

  // Somebody who waits so long that the order is kept from here on.
  void keep_order() {
    auto waiter = enter(Clock::now() - 2 * Queue::kOrderAfter);
    ASSERT_TRUE(waiter);
    static_cast<void>(waiter->may_take(0));
  }

  test::GroupBoard board_{1, 4, 8};
  ChildSeat seat_ = *board_->take_seat(1);
  std::atomic<int> have_to_wait_ = 0;  // only a call makes them try again
};

TEST_F(QueueTest, IsWokenWhenTheWorkerItselfMakesRoom) {
  serve_with(1);
  WorkerSeat worker = board_.seat(kSlot, 1);
  worker.note_running(1);
  std::atomic<bool> served = false;
  std::thread waits([&] {
    auto waiter = enter(Clock::now() - 2 * Queue::kOrderAfter);
    board_->give_place_back(seat_, wait_for_place(seat_, *waiter));
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
  auto first = queue().enter(seat_, 1, Clock::now());
  EXPECT_TRUE(first);
  EXPECT_FALSE(queue().enter(seat_, 1, Clock::now()));
  EXPECT_EQ(queue().length(), 1u);
  first.reset();
  EXPECT_TRUE(queue().enter(seat_, 1, Clock::now()));
  EXPECT_EQ(queue().length(), 0u);
}

TEST_F(QueueTest, LetsAnybodyTakeAPlaceWhileNobodyHasWaitedLong) {
  // However long the test takes.
  const auto in_an_hour = Clock::now() + 1h;
  auto older = enter(in_an_hour);
  auto younger = enter(in_an_hour + 1ms);
  EXPECT_FALSE(queue().keeps_order());
  EXPECT_TRUE(younger->may_take(1));
}

TEST_F(QueueTest, KeepsTheOrderAsSoonAsSomebodyHasWaitedLong) {
  const auto long_ago = Clock::now() - 2 * Queue::kOrderAfter;
  auto oldest = enter(long_ago);
  auto second = enter(long_ago + 1ms);
  auto youngest = enter(Clock::now());
  EXPECT_FALSE(oldest->may_take(0));
  EXPECT_TRUE(queue().keeps_order());
  EXPECT_FALSE(second->may_take(1));
  EXPECT_TRUE(second->may_take(2));
  EXPECT_FALSE(youngest->may_take(2));
  EXPECT_TRUE(oldest->may_take(1));
}

TEST_F(QueueTest, OrdersByArrivalAndNotByEntry) {
  const auto now = Clock::now();
  auto younger = enter(now - Queue::kOrderAfter);
  auto older = enter(now - 2 * Queue::kOrderAfter);
  EXPECT_FALSE(older->may_take(0));
  EXPECT_TRUE(older->may_take(1));
  EXPECT_FALSE(younger->may_take(1));
}

TEST_F(QueueTest, CountsNobodyWhoHasSteppedOut) {
  const auto long_ago = Clock::now() - 2 * Queue::kOrderAfter;
  auto older = enter(long_ago);
  auto younger = enter(long_ago + 1ms);
  EXPECT_FALSE(younger->may_take(1));
  older->step_out();
  EXPECT_TRUE(younger->may_take(1));
  older->step_back();
  EXPECT_TRUE(older->may_take(1));
}

TEST_F(QueueTest, NobodyWaitsForWhoStandsAside) {
  const auto long_ago = Clock::now() - 2 * Queue::kOrderAfter;
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
  std::vector<std::optional<Waiter>> waiters;
  for (int i = 0; i < 9; ++i) waiters.push_back(enter(Clock::now() - 1s + i * 1ms));
  EXPECT_EQ(queue().length(), 9u);
  EXPECT_TRUE(waiters[0]->may_take(1));
  EXPECT_FALSE(waiters[7]->may_take(1));
  EXPECT_TRUE(waiters[8]->may_take(1));
  waiters[8]->listen();
  waiters[8]->wait_until(Clock::now() + 60s);
}

TEST_F(QueueTest, CallsTheOldestFirst) {
  serve_with(1);
  keep_order();
  const auto taken = board_->take_place(seat_, kSlot);
  ASSERT_TRUE(taken);
  std::mutex mutex;
  std::vector<int> served;
  std::vector<std::thread> threads;
  const auto now = Clock::now();
  for (const int rank : {2, 0, 3, 1}) {
    threads.emplace_back([&, rank] {
      auto waiter = enter(now - 10s + rank * 1s);
      const PlaceId place = wait_for_place(seat_, *waiter);
      waiter.reset();
      {
        const std::lock_guard lock(mutex);
        served.push_back(rank);
      }
      board_->give_place_back(seat_, place);
    });
  }
  EXPECT_TRUE(test::wait_until([&] { return have_to_wait_ == 4; }));
  board_->give_place_back(seat_, *taken);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served, (std::vector<int>{0, 1, 2, 3}));
}

TEST_F(QueueTest, PassesOnTheCallOfOneThatGivesUp) {
  serve_with(1);
  const auto taken = board_->take_place(seat_, kSlot);
  ASSERT_TRUE(taken);
  auto leaving = enter(Clock::now() - 1s);
  leaving->listen();
  std::thread patient([&] {
    auto waiter = enter(Clock::now());
    wait_for_place(seat_, *waiter);
  });
  EXPECT_TRUE(test::wait_until([&] { return queue().length() == 2; }));
  board_->give_place_back(seat_, *taken);
  leaving.reset();
  patient.join();
  EXPECT_EQ(board_->status(kSlot).outstanding, 1u);
}

TEST_F(QueueTest, GoesPastOneThatWasKilled) {
  serve_with(1);
  const auto taken = board_->take_place(seat_, kSlot);
  ASSERT_TRUE(taken);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const ChildSeat seat = *board_->take_seat(::getpid());
    auto waiter = queue().enter(seat, kPlaces, Clock::now() - 10s);
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

  board_->give_place_back(seat_, *taken);  // calls the dead
  auto waiter = enter(Clock::now() - 1s);
  EXPECT_FALSE(waiter->may_take(1));
  wait_for_place(seat_, *waiter);
  waiter.reset();
  EXPECT_EQ(queue().length(), 1u);
  board_->forget_child(child);
  EXPECT_EQ(queue().length(), 0u);
  EXPECT_TRUE(enter(Clock::now())->may_take(1));
}

TEST_F(QueueTest, WakesEverybodyForANewWorker) {
  std::atomic<int> served = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      auto waiter = enter(Clock::now() - 1s);
      wait_for_place(seat_, *waiter);
      ++served;
    });
  }
  EXPECT_TRUE(test::wait_until([&] { return queue().length() == 4; }));
  serve_with(4);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served, 4);
}

// A call that got lost would leave a waiter asleep beside a free place for a minute.
TEST_F(QueueTest, LosesNoCall) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 10000;
  serve_with(2);
  const std::vector<ChildSeat> seats{seat_, *board_->take_seat(2), *board_->take_seat(3)};
  std::atomic<int> given_up = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i, seat = seats[static_cast<std::size_t>(i) % seats.size()]] {
      for (int round = 0; round < kRounds; ++round) {
        // Some as if they had waited long, some that give up.
        const auto age = (round + i) % 3 == 0 ? 1s : 0s;
        auto waiter = queue().enter(seat, kPlaces, Clock::now() - age);
        if ((round + i) % 7 == 0) {
          waiter->listen();
          ++given_up;
          continue;
        }
        const PlaceId place = wait_for_place(seat, *waiter);
        waiter.reset();
        board_->give_place_back(seat, place);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(given_up, 0);
  EXPECT_EQ(queue().length(), 0u);
  EXPECT_EQ(board_->status(kSlot).outstanding, 0u);
}

}  // namespace
}  // namespace pyhost::metrics
