#include "scoreboard/scoreboard.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "harness/group_board.h"
#include "harness/wait.h"
#include "scoreboard/former_board.h"

namespace pyhost::metrics {
namespace {

using namespace std::chrono_literals;
using test::GroupBoard;

constexpr std::uint32_t kFirst = 0;
constexpr std::uint32_t kLast = 2;

GroupBoard three_slots() {
  return {3, 4, 4};
}

TEST(Scoreboard, TellsWhetherItsGroupIsStopped) {
  GroupBoard board = three_slots();
  EXPECT_FALSE(board->is_stopped());
  EXPECT_FALSE(scoreboard::is_stopped_in(board.board_fd()));
  board->stop_group();
  EXPECT_TRUE(board->is_stopped());
  // A board of another build is known by that word alone.
  ASSERT_EQ(::pwrite(board.board_fd(), "other", 5, 0), 5);
  EXPECT_FALSE(scoreboard::Scoreboard::map(board.board_fd(), board.reports_fd()));
  EXPECT_TRUE(scoreboard::is_stopped_in(board.board_fd()));
  board->start_group();
  EXPECT_FALSE(board->is_stopped());
}

TEST(Scoreboard, KeepsTheRowsOfSlotsApart) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 1, 5);
  board->begin_generation(kLast, 200, 7, 2);
  board->set_state(kLast, scoreboard::SlotState::ready);
  EXPECT_EQ(board->status(kFirst).state, scoreboard::SlotState::starting);
  EXPECT_EQ(board->status(kFirst).pid, 100);
  EXPECT_EQ(board->status(kLast).state, scoreboard::SlotState::ready);
  EXPECT_EQ(board->status(kLast).generation, 7u);
  EXPECT_EQ(board->status(1).state, scoreboard::SlotState::empty);
  EXPECT_EQ(board->slots(), 3u);
}

TEST(Scoreboard, SecondMappingSeesWhatTheFirstWrites) {
  GroupBoard board = three_slots();
  const scoreboard::Scoreboard other = board.map_again();
  board->begin_generation(kLast, 200, 3, 2);
  board.writer(kLast, 3).count_request();
  EXPECT_EQ(other.status(kLast).pid, 200);
  EXPECT_EQ(other.status(kLast).requests, 1u);
}

TEST(Scoreboard, GrowsUnderThoseWhoUseIt) {
  GroupBoard board = three_slots();
  board->begin_generation(kLast, 200, 3, 2);
  const scoreboard::ChildId child = *board->add_child(1);
  ASSERT_TRUE(board->take_lease(child, kLast));
  ASSERT_TRUE(scoreboard::grow_board(board.board_fd(), board.reports_fd(), 40).value());
  scoreboard::Scoreboard larger = board.map_again();
  EXPECT_EQ(larger.slots(), 40u);
  EXPECT_EQ(larger.status(kLast).outstanding, 1u);
  EXPECT_EQ(larger.status(39).state, scoreboard::SlotState::empty);
  larger.begin_generation(39, 300, 1, 1);
  EXPECT_EQ(larger.status(39).pid, 300);
  EXPECT_EQ(board->slots(), 3u);
  EXPECT_EQ(board->status(kLast).pid, 200);
  larger.forget_child(1);
  EXPECT_EQ(board->status(kLast).outstanding, 0u);
}

TEST(Scoreboard, NeverBecomesSmaller) {
  GroupBoard board = three_slots();
  ASSERT_TRUE(scoreboard::grow_board(board.board_fd(), board.reports_fd(), 1).value());
  EXPECT_EQ(board.map_again().slots(), 3u);
  EXPECT_NE(::ftruncate(board.board_fd(), 0), 0);
  EXPECT_NE(::ftruncate(board.reports_fd(), 0), 0);
  board->status(kLast);
}

TEST(Scoreboard, SaysWhenItCannotGrow) {
  GroupBoard board = three_slots();
  EXPECT_FALSE(scoreboard::grow_board(board.board_fd(), board.reports_fd(), 5000).value());
  EXPECT_EQ(board.map_again().slots(), 3u);
}

TEST(Scoreboard, RefusesMemoryThatIsNotAScoreboard) {
  GroupBoard board = three_slots();
  base::UniqueFd fd(::memfd_create("other", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(fd.get(), 4096), 0);
  const auto mapped = scoreboard::Scoreboard::map(fd.get(), board.reports_fd());
  ASSERT_FALSE(mapped);
  EXPECT_EQ(mapped.error().sentence, "the scoreboard is of another build; restart httpd");
}

TEST(Scoreboard, RefusesTruncatedMemory) {
  GroupBoard board = three_slots();
  base::UniqueFd copy(::memfd_create("copy", MFD_CLOEXEC));
  scoreboard::BoardHeader header{};
  ASSERT_EQ(::pread(board.board_fd(), &header, sizeof header, 0), ssize_t{sizeof header});
  ASSERT_EQ(::pwrite(copy.get(), &header, sizeof header, 0), ssize_t{sizeof header});
  EXPECT_FALSE(scoreboard::Scoreboard::map(copy.get(), board.reports_fd()));
}

TEST(Scoreboard, CannotBeWrittenByAWorker) {
  GroupBoard board = three_slots();
  const int fd = board.board_for_workers_fd();
  EXPECT_EQ(::pwrite(fd, "x", 1, 0), -1);
  EXPECT_EQ(::ftruncate(fd, 1 << 20), -1);
  EXPECT_EQ(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
  EXPECT_EQ(::mmap(nullptr, 4096, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
}

TEST(Scoreboard, CannotBeOpenedAnewByAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root has another user at hand";
  GroupBoard board = three_slots();
  const std::string path = "/proc/self/fd/" + std::to_string(board.board_for_workers_fd());
  const pid_t worker = ::fork();
  ASSERT_GE(worker, 0);
  if (worker == 0) {
    constexpr uid_t kGames = 5;
    if (::setresuid(kGames, kGames, kGames) != 0) ::_exit(2);
    // The process's own folder is root's until it is dumpable again, as after an exec.
    ::prctl(PR_SET_DUMPABLE, 1);
    const bool readable = ::open(path.c_str(), O_RDONLY) >= 0;
    const bool writable = ::open(path.c_str(), O_RDWR) >= 0;
    ::_exit(readable || writable ? 1 : 0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(worker, &status, 0), worker);
  EXPECT_EQ(status, 0);
}

// Whatever a worker writes to what is its own.
TEST(Scoreboard, BelievesNoReportThatHarms) {
  GroupBoard board = three_slots();
  const scoreboard::ChildId child = *board->add_child(1);
  board->begin_generation(kFirst, 100, 7, 2);
  board->set_state(kFirst, scoreboard::SlotState::ready);
  struct stat file {};
  ASSERT_EQ(::fstat(board.reports_fd(), &file), 0);
  EXPECT_NE(::ftruncate(board.reports_fd(), file.st_size + 4096), 0);
  std::string junk(static_cast<std::size_t>(file.st_size), '\xff');
  ASSERT_EQ(::pwrite(board.reports_fd(), junk.data(), junk.size(), 0), file.st_size);
  // It names no worker that there is.
  EXPECT_EQ(board->status(kFirst).state, scoreboard::SlotState::ready);
  EXPECT_TRUE(board->take_lease(child, kFirst));
  for (std::size_t i = 0; i < junk.size(); i += sizeof(scoreboard::WorkerReport)) {
    const std::uint32_t generation = 7;
    std::memcpy(junk.data() + i, &generation, sizeof generation);
  }
  ASSERT_EQ(::pwrite(board.reports_fd(), junk.data(), junk.size(), 0), file.st_size);
  EXPECT_EQ(board->status(kFirst).state, scoreboard::SlotState::draining);
  EXPECT_FALSE(board->take_lease(child, kFirst));
  EXPECT_FALSE(board->serves(kFirst, 1));
  board->record_death(kFirst,
                      {.cause = scoreboard::DeathCause::exited, .generation = 7, .pid = 100});
  board->forget_child(1);
  EXPECT_EQ(board->status(kFirst).outstanding, 0u);
  EXPECT_EQ(board->status(kFirst).state, scoreboard::SlotState::dead);
}

TEST(Scoreboard, TellsWhichWorkersAreSilent) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 7, 2);
  EXPECT_FALSE(board->status(kFirst).silent);
  board->note_silence(kFirst, 6);
  EXPECT_FALSE(board->status(kFirst).silent);
  board->note_silence(kFirst, 7);
  EXPECT_TRUE(board->status(kFirst).silent);
  EXPECT_FALSE(board->status(kLast).silent);
  board->note_sign_of_life(kFirst, 6);
  EXPECT_TRUE(board->status(kFirst).silent);
  board->note_sign_of_life(kFirst, 7);
  EXPECT_FALSE(board->status(kFirst).silent);
  // The next worker is not the one that was.
  board->note_silence(kFirst, 7);
  board->begin_generation(kFirst, 200, 8, 2);
  EXPECT_FALSE(board->status(kFirst).silent);
}

TEST(Scoreboard, SaysHowTheLastWorkerEnded) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 9, 1);
  board->record_death(kFirst, {.cause = scoreboard::DeathCause::signalled,
                               .detail = SIGSEGV,
                               .generation = 9,
                               .pid = 100,
                               .time_us = 1234});
  const scoreboard::SlotStatus status = board->status(kFirst);
  EXPECT_EQ(status.state, scoreboard::SlotState::dead);
  EXPECT_EQ(status.last_death.generation, 9u);
  EXPECT_EQ(status.last_death.pid, 100);
  EXPECT_EQ(status.last_death.time_us, 1234);
  EXPECT_EQ(describe(status.last_death), "was killed by signal 11 (SIGSEGV)");
}

TEST(Scoreboard, HasNoPlaceAtAThreadThatIsBusyWithWhatNobodyWaitsFor) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 1, 2);
  const scoreboard::ChildId child = *board->add_child(1);
  scoreboard::ReportWriter worker = board.writer(kFirst, 1);
  worker.note_running(1);
  EXPECT_EQ(board->status(kFirst).busy(), 1u);
  EXPECT_TRUE(board->take_lease(child, kFirst));
  EXPECT_EQ(board->status(kFirst).busy(), 1u);
  worker.note_running(2);
  EXPECT_FALSE(board->take_lease(child, kFirst));
  worker.note_running(1);
  EXPECT_TRUE(board->take_lease(child, kFirst));
}

TEST(Scoreboard, DoesNotCountWhatTheWorkerBeforeIsRunning) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 1, 1);
  scoreboard::ReportWriter first = board.writer(kFirst, 1);
  first.note_running(1);
  board->begin_generation(kFirst, 101, 2, 1, 1);
  EXPECT_EQ(board->status(kFirst).running, 0u);
  first.note_running(1);
  EXPECT_EQ(board->status(kFirst).running, 0u);
  scoreboard::ReportWriter second = board.writer(kFirst, 2, 1);
  second.note_running(1);
  EXPECT_EQ(board->status(kFirst).running, 1u);
  // One may outlive its successor.
  board->begin_generation(kFirst, 102, 3, 1);
  scoreboard::ReportWriter third = board.writer(kFirst, 3);
  first.note_running(0);
  third.note_running(1);
  first.count_request();
  EXPECT_FALSE(first.stand_by());
  EXPECT_EQ(board->status(kFirst).running, 1u);
  EXPECT_EQ(board->status(kFirst).requests, 0u);
}

TEST(Scoreboard, KeepsServingWhenAnotherWorkerOfTheSlotEnds) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 4, 1);
  board->begin_generation(kFirst, 101, 5, 1);
  board->set_state(kFirst, scoreboard::SlotState::ready);
  board->record_death(kFirst,
                      {.cause = scoreboard::DeathCause::exited, .generation = 4, .pid = 100});
  EXPECT_EQ(board->status(kFirst).state, scoreboard::SlotState::ready);
  board->record_death(kFirst,
                      {.cause = scoreboard::DeathCause::exited, .generation = 6, .pid = 102});
  EXPECT_EQ(board->status(kFirst).state, scoreboard::SlotState::ready);
  EXPECT_EQ(board->status(kFirst).last_death.generation, 6u);
}

TEST(Scoreboard, RemembersTheEndOfTheNewestWorker) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 101, 5, 1);
  board->record_death(kFirst,
                      {.cause = scoreboard::DeathCause::signalled, .generation = 5, .pid = 101});
  board->record_death(kFirst,
                      {.cause = scoreboard::DeathCause::exited, .generation = 4, .pid = 100});
  EXPECT_EQ(board->status(kFirst).last_death.pid, 101);
  EXPECT_TRUE(board->wait_for_death(kFirst, 5, 0ms));
}

TEST(Scoreboard, RemembersADeathBehindPlannedEnds) {
  GroupBoard board = three_slots();
  board->record_death(kFirst,
                      {.cause = scoreboard::DeathCause::signalled, .generation = 1, .pid = 100});
  board->begin_generation(kFirst, 101, 2, 1);
  board->record_planned_end(kFirst,
                            {.cause = scoreboard::DeathCause::exited, .generation = 2, .pid = 101});
  EXPECT_EQ(board->status(kFirst).state, scoreboard::SlotState::dead);
  EXPECT_EQ(board->status(kFirst).last_death.pid, 100);
  EXPECT_EQ(board->status(kFirst).last_end.pid, 101);
  EXPECT_TRUE(board->wait_for_death(kFirst, 2, 0ms));
}

TEST(Scoreboard, LeavesASlotDeadThatNobodyIsIn) {
  GroupBoard board = three_slots();
  board->set_state(kFirst, scoreboard::SlotState::empty);
  EXPECT_EQ(board->status(kFirst).state, scoreboard::SlotState::empty);
  board->begin_generation(kFirst, 100, 1, 1);
  board->record_death(kFirst, {.cause = scoreboard::DeathCause::exited, .generation = 1});
  board->set_state(kFirst, scoreboard::SlotState::empty);
  EXPECT_EQ(board->status(kFirst).state, scoreboard::SlotState::dead);
}

TEST(Scoreboard, HasOnePlaceForEachThreadOfAWorker) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 1, 2);
  const scoreboard::ChildId child = *board->add_child(1);
  const scoreboard::ChildId other = *board->add_child(2);
  EXPECT_TRUE(board->take_lease(child, kFirst));
  const auto lease = board->take_lease(other, kFirst);
  ASSERT_TRUE(lease);
  EXPECT_FALSE(board->take_lease(child, kFirst));
  board->give_lease_back(other, *lease);
  EXPECT_TRUE(board->take_lease(child, kFirst));
  EXPECT_EQ(board->status(kFirst).outstanding, 2u);
}

TEST(Scoreboard, CountsThePlacesOfTwoWorkersOfASlotApart) {
  GroupBoard board = three_slots();
  const scoreboard::ChildId child = *board->add_child(1);
  board->begin_generation(kFirst, 100, 1, 1);
  const auto at_first = board->take_lease(child, kFirst);
  ASSERT_TRUE(at_first);
  board->begin_generation(kFirst, 101, 2, 1);
  EXPECT_EQ(board->status(kFirst).outstanding, 0u);
  const auto at_second = board->take_lease(child, kFirst);
  ASSERT_TRUE(at_second);
  board->give_lease_back(child, *at_first);
  EXPECT_EQ(board->status(kFirst).outstanding, 1u);
  EXPECT_FALSE(board->take_lease(child, kFirst));
  board->give_lease_back(child, *at_second);
  EXPECT_EQ(board->status(kFirst).outstanding, 0u);
}

TEST(Scoreboard, GivesNoMoreSeatsThanItHas) {
  GroupBoard board = three_slots();
  for (pid_t pid = 1; pid <= 4; ++pid) EXPECT_TRUE(board->add_child(pid));
  EXPECT_FALSE(board->add_child(5));
  board->forget_child(3);
  EXPECT_TRUE(board->add_child(5));
}

TEST(Scoreboard, TakesBackWhatAForgottenChildHeld) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 1, 5);
  const scoreboard::ChildId crashed = *board->add_child(1);
  const scoreboard::ChildId living = *board->add_child(2);
  ASSERT_TRUE(board->take_lease(crashed, kFirst));
  ASSERT_TRUE(board->take_lease(crashed, kFirst));
  ASSERT_TRUE(board->take_lease(living, kFirst));
  board->forget_child(1);
  EXPECT_EQ(board->status(kFirst).outstanding, 1u);
}

TEST(Scoreboard, TakesBackWhatAForgottenChildHeldAtAWorkerOfBefore) {
  GroupBoard board = three_slots();
  const scoreboard::ChildId crashed = *board->add_child(1);
  for (const std::uint32_t generation : {1u, 2u}) {
    board->begin_generation(kFirst, 100, generation, 1);
    ASSERT_TRUE(board->take_lease(crashed, kFirst));
  }
  board->forget_child(1);
  for (const std::uint32_t generation : {3u, 4u}) {
    board->begin_generation(kFirst, 100, generation, 1);
    EXPECT_EQ(board->status(kFirst).outstanding, 0u) << generation;
  }
}

TEST(Scoreboard, HasChildrenUntilTheyEnd) {
  GroupBoard board = three_slots();
  EXPECT_FALSE(board->has_children());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  ASSERT_TRUE(board->add_child(child));
  EXPECT_TRUE(board->has_children());
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(board->has_children());
}

TEST(Scoreboard, KeepsAGenerationUntilTheNextOne) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 1, 1);
  EXPECT_EQ(board->status(kFirst).kept_until_us, 0);
  board->keep_generation(kFirst, 12345);
  EXPECT_EQ(board->status(kFirst).kept_until_us, 12345);
  board->begin_generation(kFirst, 101, 2, 1);
  EXPECT_EQ(board->status(kFirst).kept_until_us, 0);
}

TEST(Scoreboard, NeverHasMorePlacesTakenThanThreads) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 2000;
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 1, 2);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, child = *board->add_child(i + 1)] {
      for (int round = 0; round < kRounds;) {
        const auto lease = board->take_lease(child, kFirst);
        if (!lease) {
          std::this_thread::yield();
          continue;
        }
        const int now = ++inside;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        --inside;
        board->give_lease_back(child, *lease);
        ++round;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most.load(), 2);
  EXPECT_EQ(board->status(kFirst).outstanding, 0u);
}

TEST(Scoreboard, WaitsForTheDeathOfAGeneration) {
  GroupBoard board = three_slots();
  const scoreboard::Death earlier{
      .cause = scoreboard::DeathCause::exited, .detail = 1, .generation = 4};
  board->record_death(kFirst, earlier);
  EXPECT_FALSE(board->wait_for_death(kFirst, 5, 1ms));
  std::thread supervisor([&] {
    board->record_death(kFirst,
                        {.cause = scoreboard::DeathCause::exited, .detail = 3, .generation = 5});
  });
  const auto death = board->wait_for_death(kFirst, 5, test::kPatience);
  supervisor.join();
  ASSERT_TRUE(death);
  EXPECT_EQ(death->detail, 3);
}

TEST(Scoreboard, ForgetsAChildThatWasKilledWhileItCounted) {
  GroupBoard board = three_slots();
  board->begin_generation(kFirst, 100, 1, 1000);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const scoreboard::ChildId child = *board->add_child(::getpid());
    for (int i = 0; i < 3; ++i) static_cast<void>(board->take_lease(child, kFirst));
    board.writer(kFirst, 1).count_request();
    ::pause();
  }
  EXPECT_TRUE(test::wait_until([&] { return board->status(kFirst).requests == 1; }));
  EXPECT_EQ(board->status(kFirst).outstanding, 3u);
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  board->forget_child(child);
  EXPECT_EQ(board->status(kFirst).outstanding, 0u);
}

}  // namespace
}  // namespace pyhost::metrics
