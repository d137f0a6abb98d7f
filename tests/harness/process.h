// Child processes of a test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/wait.h"

namespace pyhost::test {

using Environment = std::vector<std::pair<std::string, std::string>>;

struct ProcessSpec {
  std::vector<std::string> arguments;  // the first is the program's path
  Environment environment;             // all of it: nothing is inherited
  std::string output_file;             // for stdout and stderr
};

// A program in a process group of its own, ended by SIGTERM when the test's process dies. Killed
// with its group if it still runs at the end.
class Process {
 public:
  explicit Process(const ProcessSpec& spec);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  pid_t pid() const noexcept { return pid_; }
  void signal(int number) const;

  // What waitpid() said, once the program has ended; nothing while it runs.
  std::optional<int> poll_status();
  // The same, waiting for the end; nothing when it does not come.
  std::optional<int> wait_status(std::chrono::milliseconds patience = kPatience);

  // The living processes of its group, without itself; zombies do not count.
  std::vector<pid_t> others_in_group() const;

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

// "exit code 1", "signal 11 (Segmentation fault)".
std::string describe_status(int wait_status);

// The command line of a process, for messages.
std::string command_line_of(pid_t pid);

// The living processes that were started with an entry NAME=value in their environment, and those
// that they started. Needs the right to look.
std::vector<pid_t> processes_with(const std::string& environment_entry);

// The name of the program that a process runs, without its folder.
std::string program_of(pid_t pid);

// What each open descriptor of a process refers to, sorted. Needs the right to look.
std::vector<std::string> descriptors_of(pid_t pid);

// The memory of a process's own, resident or swapped out, without the pages of files, which come
// and go with what else the machine does; 0 when it is gone.
std::size_t anonymous_bytes_of(pid_t pid);

}  // namespace pyhost::test
