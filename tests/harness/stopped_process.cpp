#include "harness/stopped_process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <string>

#include "harness/temp_dir.h"
#include "harness/wait.h"

namespace pyhost::test {
namespace {

bool all_threads_are(char state, pid_t pid) {
  std::error_code gone;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
    const std::string stat = read_file(task.path() / "stat");
    const std::size_t name_end = stat.rfind(')');
    if (name_end == stat.npos || stat[name_end + 2] != state) return false;
  }
  return !gone;
}

}  // namespace

void stop_process(pid_t pid) {
  EXPECT_TRUE(wait_until([pid] { return all_threads_are('S', pid); }));
  kill(pid, SIGSTOP);
  EXPECT_TRUE(wait_until([pid] { return all_threads_are('T', pid); }));
}

}  // namespace pyhost::test
