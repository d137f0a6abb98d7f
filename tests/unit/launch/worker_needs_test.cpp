#include "launch/worker_needs.h"

#include <gmock/gmock.h>

namespace pyhost {
namespace {

using launch::check_needs;
using testing::HasSubstr;

constexpr std::uint64_t kMiB = 1u << 20;

settings::ProcessGroup group_with(unsigned threads) {
  settings::ProcessGroup group;
  group.name = "g";
  group.threads = threads;
  return group;
}

TEST(WorkerNeeds, AreMetWithoutLimits) {
  EXPECT_TRUE(check_needs(group_with(65533), {}));
}

TEST(WorkerNeeds, AreTheStacksOfAllThreadsAndPython) {
  auto group = group_with(15);
  for (auto limit : {&settings::ProcessGroup::memory_limit_bytes,
                     &settings::ProcessGroup::virtual_memory_limit_bytes}) {
    group.*limit = 128 * kMiB;
    EXPECT_FALSE(check_needs(group, {}));
    group.*limit = 200 * kMiB;
    EXPECT_TRUE(check_needs(group, {}));
  }
  group.memory_limit_bytes = 4 * kMiB;
  const auto checked = check_needs(group, {});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().sentence,
            "WSGIDaemonProcess g: memory-limit= is too little for the stacks of 15 threads (8 MiB "
            "each) and for Python: give 196M or more, or fewer threads=");
}

TEST(WorkerNeeds, AreRoomForAllThreadsOfAllWorkers) {
  auto group = group_with(100);
  group.processes = 10;
  EXPECT_TRUE(check_needs(group, {.threads = 1000, .limit = "kernel.pid_max"}));
  const auto checked = check_needs(group, {.threads = 999, .limit = "kernel.pid_max"});
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().sentence, HasSubstr("make 1000 threads, and the system has room for "
                                                  "999 (kernel.pid_max)"));
}

TEST(WorkerNeeds, AreComparedWithWhatTheSystemHas) {
  const auto room = launch::thread_room();
  EXPECT_GT(room.threads, 0u);
  EXPECT_NE(room.limit, "");
}

}  // namespace
}  // namespace pyhost
