#include "cli/tool_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "os/pipe.h"

namespace pyhost::cli {

base::Result<ToolRun> run_tool(const std::vector<std::string>& arguments) {
  PH_TRY(pipe, os::make_pipe());
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_adddup2(&actions, pipe.write_end.get(), fd);
  }
  std::vector<char*> words;
  for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t pid = 0;
  const int code = posix_spawnp(&pid, words.front(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) {
    return base::fail(fmt::format("{} cannot be run: {}", arguments.front(), std::strerror(code)));
  }
  pipe.write_end.reset();

  ToolRun run;
  std::array<char, 16'384> buffer;
  while (true) {
    const ssize_t bytes = read(pipe.read_end.get(), buffer.data(), buffer.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) break;
    run.output.append(buffer.data(), static_cast<std::size_t>(bytes));
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  run.succeeded = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return run;
}

}  // namespace pyhost::cli
