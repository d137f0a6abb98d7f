#include "os/own_process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

namespace pyhost::os {
namespace {

TEST(OwnProcess, UsesMemoryAndNoMoreThanItEverDid) {
  EXPECT_GT(resident_bytes(), 1'000'000u);
  EXPECT_LT(resident_bytes(), std::uint64_t{1} << 40);
  EXPECT_GE(resident_bytes_max() + (1 << 20), resident_bytes());
}

TEST(OwnProcess, BeganWhenItWasForked) {
  constexpr std::int64_t kTick = 20'000;  // two of the kernel's
  const std::int64_t before_us = base::now_us();
  const pid_t child = fork();
  if (child == 0) {
    const std::int64_t start_us = start_of_process_us();
    _exit(start_us >= before_us - kTick && start_us <= base::now_us() + kTick ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_LE(start_of_process_us(), before_us + kTick);
}

TEST(OwnProcess, HasUsedProcessors) {
  const ProcessorUse before = processor_use();
  volatile unsigned sum = 0;
  while (processor_use().user_us + processor_use().system_us == before.user_us + before.system_us) {
    sum = sum + 1;
  }
  EXPECT_GE(processor_use().user_us, before.user_us);
}

}  // namespace
}  // namespace pyhost::os
