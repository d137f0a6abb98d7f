// Processes that do with the memory what workers do, and are killed at any moment.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "harness/metrics_memory.h"

namespace pyhost::appmetrics {
namespace {

constexpr int kKills = 1000;
constexpr std::uint32_t kSlots = 4;

// Counts until it is killed, over the same series as all others.
[[noreturn]] void work(int file, std::uint32_t slot, std::uint32_t generation) {
  const Memory memory = Memory::map(file, Access::write).value();
  const Seat seat{.slot = slot, .lane = 2 * slot + generation % 2, .owner = generation};
  take_lane(memory, seat);
  Registry registry(memory, seat);
  for (unsigned i = generation;; ++i) {
    counter(registry, "orders", {"n"}, {std::to_string(i % 50)}).add(1);
    gauge(registry, "busy", Merge::live).add_gauge(1);
  }
}

// Of each series.
std::map<std::string, double> counted(const Memory& memory) {
  std::map<std::string, double> values;
  for (const Family& family : read(memory).families) {
    for (const Sample& sample : family.samples) {
      if (family.name == "orders") values[sample.values.at(0)] = std::get<double>(sample.value);
    }
  }
  return values;
}

TEST(KilledProcesses, TakeNothingFromWhatIsCounted) {
  const auto file =
      make_memory({.bytes = 256 * 1024, .slots = kSlots, .lanes_per_slot = 2}).value();
  const Memory memory = Memory::map(file.get(), Access::read).value();
  std::mt19937 random(1);
  std::map<std::string, double> before;
  pid_t workers[kSlots] = {};
  for (int kills = 0; kills < kKills; ++kills) {
    const std::uint32_t slot = kills % kSlots;
    if (workers[slot] > 0) {
      ::kill(workers[slot], SIGKILL);
      ::waitpid(workers[slot], nullptr, 0);
    }
    workers[slot] = ::fork();
    ASSERT_GE(workers[slot], 0);
    if (workers[slot] == 0) work(file.get(), slot, static_cast<std::uint32_t>(kills) / kSlots + 1);
    ::usleep(std::uniform_int_distribution<useconds_t>(0, 500)(random));
    auto now = counted(memory);
    for (const auto& [series, value] : before) ASSERT_GE(now[series], value) << series;
    before = std::move(now);
  }
  for (const pid_t worker : workers) {
    ::kill(worker, SIGKILL);
    ::waitpid(worker, nullptr, 0);
  }
  EXPECT_EQ(before.size(), 50u);
  // The counter and the gauge, and what was lost with those that were killed in the middle.
  EXPECT_LE(memory.header().series.load(), 51u);
  EXPECT_LT(memory.header().heap_end * sizeof(Words), memory.bytes().size() / 4);
}

}  // namespace
}  // namespace pyhost::appmetrics
