#include "harness/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/parse.h"
#include "harness/temp_dir.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Between fork and exec: only what is safe in the child of a process with threads.
[[noreturn]] void become(char** arguments, char** environment, const char* output_file,
                         pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(126);
  const int output = open(output_file, O_WRONLY | O_CREAT | O_APPEND, 0644);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  close(output);
  close(STDIN_FILENO);
  open("/dev/null", O_RDONLY);
  // Other tests' sockets and locks are close-on-exec; so is all the harness opens.
  execve(arguments[0], arguments, environment);
  _exit(127);
}

struct ProcStat {
  char state = 0;
  pid_t group = 0;
};

// The fields behind the command name, which may hold anything but ends at the last parenthesis.
ProcStat stat_of(const std::string& pid) {
  const std::string text = read_file("/proc/" + pid + "/stat");
  const auto name_end = text.rfind(')');
  ProcStat stat;
  int parent = 0;
  if (name_end != text.npos) {
    std::sscanf(text.c_str() + name_end + 1, " %c %d %d", &stat.state, &parent, &stat.group);
  }
  return stat;
}

}  // namespace

Process::Process(const ProcessSpec& spec) {
  std::vector<std::string> arguments = spec.arguments;
  std::vector<std::string> variables;
  for (const auto& [name, value] : spec.environment) variables.push_back(name + "=" + value);
  const auto argv = pointers_to(arguments);
  const auto envp = pointers_to(variables);

  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    become(const_cast<char**>(argv.data()), const_cast<char**>(envp.data()),
           spec.output_file.c_str(), parent);
  }
  if (pid_ < 0) ADD_FAILURE() << "fork: " << std::strerror(errno);
  setpgid(pid_, pid_);
}

Process::~Process() {
  if (pid_ <= 0) return;
  if (!poll_status() || !others_in_group().empty()) {
    kill(-pid_, SIGKILL);
    if (!status_) waitpid(pid_, nullptr, 0);
  }
}

void Process::signal(int number) const {
  if (pid_ > 0 && !status_) kill(pid_, number);
}

std::optional<int> Process::poll_status() {
  int status = 0;
  if (!status_ && pid_ > 0 && waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return status_;
}

std::optional<int> Process::wait_status(std::chrono::milliseconds patience) {
  const bool ended = wait_until([this] { return poll_status().has_value(); }, patience);
  return ended ? status_ : std::nullopt;
}

std::vector<pid_t> Process::others_in_group() const {
  std::vector<pid_t> pids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    const auto pid = base::parse_unsigned(name);
    if (!pid || static_cast<pid_t>(*pid) == pid_) continue;
    const ProcStat stat = stat_of(name);
    if (stat.group == pid_ && stat.state != 'Z') pids.push_back(static_cast<pid_t>(*pid));
  }
  return pids;
}

std::vector<pid_t> processes_with(const std::string& environment_entry) {
  std::vector<pid_t> pids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const auto pid = base::parse_unsigned(entry.path().filename().string());
    if (!pid) continue;
    const std::string environment = '\0' + read_file(entry.path() / "environ");
    if (environment.find('\0' + environment_entry + '\0') == environment.npos) continue;
    pids.push_back(static_cast<pid_t>(*pid));
  }
  return pids;
}

std::string program_of(pid_t pid) {
  std::error_code error;
  return fs::read_symlink(fmt::format("/proc/{}/exe", pid), error).filename();
}

std::string describe_status(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const int number = WTERMSIG(wait_status);
    return fmt::format("signal {} ({})", number, strsignal(number));
  }
  return fmt::format("exit code {}", WEXITSTATUS(wait_status));
}

std::string command_line_of(pid_t pid) {
  std::string text = read_file(fmt::format("/proc/{}/cmdline", pid));
  std::ranges::replace(text, '\0', ' ');
  return text;
}

std::vector<std::string> descriptors_of(pid_t pid) {
  std::vector<std::string> targets;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", pid), error)) {
    targets.push_back(fs::read_symlink(entry.path(), error).string());
  }
  std::ranges::sort(targets);
  return targets;
}

std::size_t anonymous_bytes_of(pid_t pid) {
  constexpr std::size_t kKilobyte = 1024;
  std::istringstream status(read_file(fmt::format("/proc/{}/status", pid)));
  std::size_t kilobytes = 0;
  for (std::string line; std::getline(status, line);) {
    std::istringstream fields(line);
    std::string name;
    std::size_t value = 0;
    fields >> name >> value;
    if (name == "RssAnon:" || name == "VmSwap:") kilobytes += value;
  }
  return kilobytes * kKilobyte;
}

}  // namespace pyhost::test
