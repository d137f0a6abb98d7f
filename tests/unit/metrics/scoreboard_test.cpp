#include "metrics/scoreboard.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "harness/wait.h"

namespace pyhost::metrics {
namespace {

using namespace std::chrono_literals;

constexpr SlotId kFirst{0, 0};
constexpr SlotId kLast{1, 2};

Scoreboard two_groups() {
  const std::vector<std::uint32_t> slots{2, 3};
  return *Scoreboard::create(slots, 4, 4);
}

TEST(Scoreboard, TellsWhichGroupsAreStopped) {
  Scoreboard board = two_groups();
  board.stop_group(1);
  EXPECT_TRUE(board.is_stopped(1));
  EXPECT_FALSE(board.is_stopped(0));
  board.start_group(1);
  EXPECT_FALSE(board.is_stopped(1));
}

TEST(Scoreboard, KeepsTheRowsOfSlotsApart) {
  Scoreboard board = two_groups();
  board.begin_generation(kFirst, 100, 1, 5);
  board.begin_generation(kLast, 200, 7, 2);
  board.set_state(kLast, SlotState::ready);
  EXPECT_EQ(board.status(kFirst).state, SlotState::starting);
  EXPECT_EQ(board.status(kFirst).pid, 100);
  EXPECT_EQ(board.status(kLast).state, SlotState::ready);
  EXPECT_EQ(board.status(kLast).generation, 7u);
  EXPECT_EQ(board.status({1, 0}).state, SlotState::empty);
  EXPECT_EQ(board.groups(), 2u);
  EXPECT_EQ(board.slots(1), 3u);
}

TEST(Scoreboard, SecondMappingSeesWhatTheFirstWrites) {
  Scoreboard board = two_groups();
  auto other = Scoreboard::map(base::UniqueFd(::dup(board.fd())));
  ASSERT_TRUE(other) << other.error().sentence;
  board.begin_generation(kLast, 200, 3, 2);
  other->count_request(kLast);
  EXPECT_EQ(other->status(kLast).pid, 200);
  EXPECT_EQ(board.status(kLast).requests, 1u);
}

TEST(Scoreboard, RefusesMemoryThatIsNotAScoreboard) {
  base::UniqueFd fd(::memfd_create("other", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(fd.get(), 4096), 0);
  const auto board = Scoreboard::map(std::move(fd));
  ASSERT_FALSE(board);
  EXPECT_EQ(board.error().sentence, "the scoreboard is of another build; restart httpd");
}

TEST(Scoreboard, RefusesTruncatedMemory) {
  Scoreboard board = two_groups();
  base::UniqueFd fd(::dup(board.fd()));
  base::UniqueFd copy(::memfd_create("copy", MFD_CLOEXEC));
  BoardHeader header{};
  ASSERT_EQ(::pread(fd.get(), &header, sizeof header, 0), ssize_t{sizeof header});
  ASSERT_EQ(::pwrite(copy.get(), &header, sizeof header, 0), ssize_t{sizeof header});
  EXPECT_FALSE(Scoreboard::map(std::move(copy)));
}

// An application can write to the memory; those who read it have more rights than it has.
TEST(Scoreboard, UsesNoIndexThatLiesInItsMemory) {
  Scoreboard board = two_groups();
  const ChildSeat seat = *board.take_seat(1);
  struct stat file {};
  ASSERT_EQ(::fstat(board.fd(), &file), 0);
  const std::string junk(static_cast<std::size_t>(file.st_size), '\xff');
  ASSERT_EQ(::pwrite(board.fd(), junk.data(), junk.size(), 0), file.st_size);
  EXPECT_EQ(board.slots(0), 2u);
  board.status(kLast);
  board.begin_generation(kLast, 100, 1, 1);
  board.set_state(kLast, SlotState::ready);
  if (const auto place = board.take_place(seat, kLast)) board.give_place_back(seat, *place);
  board.record_death(kLast, {});
  board.forget_child(-1);
  EXPECT_FALSE(Scoreboard::map(base::UniqueFd(::dup(board.fd()))));
}

TEST(Scoreboard, KeepsItsSize) {
  Scoreboard board = two_groups();
  EXPECT_NE(::ftruncate(board.fd(), 0), 0);
  EXPECT_NE(::ftruncate(board.fd(), 1 << 20), 0);
  board.status(kLast);
}

TEST(Scoreboard, SaysHowTheLastWorkerEnded) {
  Scoreboard board = two_groups();
  board.begin_generation(kFirst, 100, 9, 1);
  board.record_death(kFirst, {.cause = DeathCause::signal,
                              .detail = SIGSEGV,
                              .generation = 9,
                              .pid = 100,
                              .time_us = 1234});
  const SlotStatus status = board.status(kFirst);
  EXPECT_EQ(status.state, SlotState::dead);
  EXPECT_EQ(status.last_death.generation, 9u);
  EXPECT_EQ(status.last_death.pid, 100);
  EXPECT_EQ(status.last_death.time_us, 1234);
  EXPECT_EQ(describe(status.last_death), "was killed by signal 11 (SIGSEGV)");
}

TEST(Scoreboard, HasNoPlaceAtAThreadThatIsBusyWithWhatNobodyWaitsFor) {
  Scoreboard board = two_groups();
  board.begin_generation(kFirst, 100, 1, 2);
  const ChildSeat seat = *board.take_seat(1);
  board.note_running(kFirst, 100, 1);
  EXPECT_EQ(board.status(kFirst).busy(), 1u);
  EXPECT_TRUE(board.take_place(seat, kFirst));
  EXPECT_EQ(board.status(kFirst).busy(), 1u);
  board.note_running(kFirst, 100, 2);
  EXPECT_FALSE(board.take_place(seat, kFirst));
  board.note_running(kFirst, 100, 1);
  EXPECT_TRUE(board.take_place(seat, kFirst));
}

TEST(Scoreboard, DoesNotCountWhatTheWorkerBeforeIsRunning) {
  Scoreboard board = two_groups();
  board.begin_generation(kFirst, 100, 1, 1);
  board.note_running(kFirst, 100, 1);
  board.begin_generation(kFirst, 101, 2, 1);
  EXPECT_EQ(board.status(kFirst).running, 0u);
  board.note_running(kFirst, 100, 1);
  EXPECT_EQ(board.status(kFirst).running, 0u);
  board.note_running(kFirst, 101, 1);
  EXPECT_EQ(board.status(kFirst).running, 1u);
}

TEST(Scoreboard, KeepsServingWhenAnotherWorkerOfTheSlotEnds) {
  Scoreboard board = two_groups();
  board.begin_generation(kFirst, 100, 4, 1);
  board.begin_generation(kFirst, 101, 5, 1);
  board.set_state(kFirst, SlotState::ready);
  board.record_death(kFirst, {.cause = DeathCause::exited, .generation = 4, .pid = 100});
  EXPECT_EQ(board.status(kFirst).state, SlotState::ready);
  board.record_death(kFirst, {.cause = DeathCause::exited, .generation = 6, .pid = 102});
  EXPECT_EQ(board.status(kFirst).state, SlotState::ready);
  EXPECT_EQ(board.status(kFirst).last_death.generation, 6u);
}

TEST(Scoreboard, RemembersTheEndOfTheNewestWorker) {
  Scoreboard board = two_groups();
  board.begin_generation(kFirst, 101, 5, 1);
  board.record_death(kFirst, {.cause = DeathCause::signal, .generation = 5, .pid = 101});
  board.record_death(kFirst, {.cause = DeathCause::exited, .generation = 4, .pid = 100});
  EXPECT_EQ(board.status(kFirst).last_death.pid, 101);
  EXPECT_TRUE(board.wait_for_death(kFirst, 5, 0ms));
}

TEST(Death, IsDescribedByItsCause) {
  EXPECT_EQ(describe({.cause = DeathCause::exited, .detail = 3}), "exited with code 3");
  EXPECT_EQ(describe({.cause = DeathCause::out_of_memory}),
            "was killed by the kernel for lack of memory");
  EXPECT_EQ(describe({.cause = DeathCause::timeout,
                      .detail = static_cast<std::uint16_t>(TimeoutKind::deadlock)}),
            "was ended by deadlock-timeout");
}

TEST(Scoreboard, HasOnePlaceForEachThreadOfAWorker) {
  Scoreboard board = two_groups();
  board.begin_generation(kFirst, 100, 1, 2);
  const ChildSeat seat = *board.take_seat(1);
  const ChildSeat other = *board.take_seat(2);
  EXPECT_TRUE(board.take_place(seat, kFirst));
  const auto place = board.take_place(other, kFirst);
  ASSERT_TRUE(place);
  EXPECT_FALSE(board.take_place(seat, kFirst));
  board.give_place_back(other, *place);
  EXPECT_TRUE(board.take_place(seat, kFirst));
  EXPECT_EQ(board.status(kFirst).outstanding, 2u);
}

TEST(Scoreboard, CountsThePlacesOfTwoWorkersOfASlotApart) {
  Scoreboard board = two_groups();
  const ChildSeat seat = *board.take_seat(1);
  board.begin_generation(kFirst, 100, 1, 1);
  const auto at_first = board.take_place(seat, kFirst);
  ASSERT_TRUE(at_first);
  board.begin_generation(kFirst, 101, 2, 1);
  EXPECT_EQ(board.status(kFirst).outstanding, 0u);
  const auto at_second = board.take_place(seat, kFirst);
  ASSERT_TRUE(at_second);
  board.give_place_back(seat, *at_first);
  EXPECT_EQ(board.status(kFirst).outstanding, 1u);
  EXPECT_FALSE(board.take_place(seat, kFirst));
  board.give_place_back(seat, *at_second);
  EXPECT_EQ(board.status(kFirst).outstanding, 0u);
}

TEST(Scoreboard, GivesNoMoreSeatsThanItHas) {
  Scoreboard board = two_groups();
  for (pid_t pid = 1; pid <= 4; ++pid) EXPECT_TRUE(board.take_seat(pid));
  EXPECT_FALSE(board.take_seat(5));
  board.forget_child(3);
  EXPECT_TRUE(board.take_seat(5));
}

TEST(Scoreboard, TakesBackWhatAForgottenChildHeld) {
  Scoreboard board = two_groups();
  board.begin_generation(kFirst, 100, 1, 5);
  const ChildSeat crashed = *board.take_seat(1);
  const ChildSeat living = *board.take_seat(2);
  ASSERT_TRUE(board.take_place(crashed, kFirst));
  ASSERT_TRUE(board.take_place(crashed, kFirst));
  ASSERT_TRUE(board.take_place(living, kFirst));
  board.forget_child(1);
  EXPECT_EQ(board.status(kFirst).outstanding, 1u);
}

TEST(Scoreboard, TakesBackWhatAForgottenChildHeldAtAWorkerOfBefore) {
  Scoreboard board = two_groups();
  const ChildSeat crashed = *board.take_seat(1);
  for (const std::uint32_t generation : {1u, 2u}) {
    board.begin_generation(kFirst, 100, generation, 1);
    ASSERT_TRUE(board.take_place(crashed, kFirst));
  }
  board.forget_child(1);
  for (const std::uint32_t generation : {3u, 4u}) {
    board.begin_generation(kFirst, 100, generation, 1);
    EXPECT_EQ(board.status(kFirst).outstanding, 0u) << generation;
  }
}

TEST(Scoreboard, DrainsOnlyAReadyWorker) {
  Scoreboard board = two_groups();
  board.begin_generation(kFirst, 100, 1, 1);
  EXPECT_FALSE(board.begin_draining(kFirst, 100));
  board.set_state(kFirst, SlotState::ready);
  EXPECT_TRUE(board.begin_draining(kFirst, 100));
  EXPECT_EQ(board.status(kFirst).state, SlotState::draining);
}

TEST(Scoreboard, LetsAWorkerThatWasReplacedNotDrainItsSuccessor) {
  Scoreboard board = two_groups();
  board.begin_generation(kFirst, 101, 2, 1);
  board.set_state(kFirst, SlotState::ready);
  EXPECT_FALSE(board.begin_draining(kFirst, 100));
  EXPECT_EQ(board.status(kFirst).state, SlotState::ready);
}

TEST(Scoreboard, KeepsAGenerationUntilTheNextOne) {
  Scoreboard board = two_groups();
  board.begin_generation(kFirst, 100, 1, 1);
  EXPECT_EQ(board.status(kFirst).kept_until_us, 0);
  board.keep_generation(kFirst, 12345);
  EXPECT_EQ(board.status(kFirst).kept_until_us, 12345);
  board.begin_generation(kFirst, 101, 2, 1);
  EXPECT_EQ(board.status(kFirst).kept_until_us, 0);
}

TEST(Scoreboard, NeverHasMorePlacesTakenThanThreads) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 2000;
  Scoreboard board = two_groups();
  board.begin_generation(kFirst, 100, 1, 2);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, seat = *board.take_seat(i + 1)] {
      for (int round = 0; round < kRounds;) {
        const auto place = board.take_place(seat, kFirst);
        if (!place) {
          std::this_thread::yield();
          continue;
        }
        const int now = ++inside;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        --inside;
        board.give_place_back(seat, *place);
        ++round;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most.load(), 2);
  EXPECT_EQ(board.status(kFirst).outstanding, 0u);
}

TEST(Scoreboard, WaitsForTheDeathOfAGeneration) {
  Scoreboard board = two_groups();
  const Death earlier{.cause = DeathCause::exited, .detail = 1, .generation = 4};
  board.record_death(kFirst, earlier);
  EXPECT_FALSE(board.wait_for_death(kFirst, 5, 1ms));
  std::thread supervisor([&] {
    board.record_death(kFirst, {.cause = DeathCause::exited, .detail = 3, .generation = 5});
  });
  const auto death = board.wait_for_death(kFirst, 5, test::kPatience);
  supervisor.join();
  ASSERT_TRUE(death);
  EXPECT_EQ(death->detail, 3);
}

TEST(Scoreboard, ForgetsAChildThatWasKilledWhileItCounted) {
  Scoreboard board = two_groups();
  board.begin_generation(kFirst, 100, 1, 1000);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const ChildSeat seat = *board.take_seat(::getpid());
    for (int i = 0; i < 3; ++i) static_cast<void>(board.take_place(seat, kFirst));
    board.count_request(kFirst);
    ::pause();
  }
  EXPECT_TRUE(test::wait_until([&] { return board.status(kFirst).requests == 1; }));
  EXPECT_EQ(board.status(kFirst).outstanding, 3u);
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  board.forget_child(child);
  EXPECT_EQ(board.status(kFirst).outstanding, 0u);
}

}  // namespace
}  // namespace pyhost::metrics
