#include "daemon/worker_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>

#include "harness/process.h"

namespace pyhost::test {

WorkerProcess::WorkerProcess() {
  worker_.group.name = "blog";
  worker_.settings.plugin = TEST_PLUGIN;
  worker_.group.threads = 2;
  worker_.settings.httpd_uid = ::getuid();
  worker_.settings.log = {.level = base::LogLevel::info, .printed = base::LogLevel::info};
  worker_.settings.targets.folders = {folder_.path() + "/"};
}

WorkerProcess::~WorkerProcess() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  // Also where a sanitizer writes its reports.
  if (HasFailure()) std::cerr << "the worker's log:\n" << log();
}

void WorkerProcess::spawn() {
  int status[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, status), 0);
  status_.reset(status[0]);
  const std::string json =
      control::worker_brief(worker_.group, to_json(worker_.settings), worker_.assignment);
  const base::UniqueFd settings(::memfd_create("settings", MFD_CLOEXEC));
  ASSERT_EQ(::write(settings.get(), json.data(), json.size()), ssize_t(json.size()));
  const base::UniqueFd listening = listen_at(settings_.socket_paths[0]);
  const base::UniqueFd report(status[1]);
  const std::string log = folder_.path() + "/worker.log";
  const base::UniqueFd log_file(::open(log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  exec({log_file.get(), log_file.get(), listening.get(), report.get(), settings.get(),
        scoreboard_.board_for_workers_fd(), scoreboard_.reports_fd()});
  scoreboard_->begin_generation(0, pid_, 1, places_of_worker(worker_.group), 0,
                                places_max_of_worker(worker_.group));
}

std::string WorkerProcess::next_status() {
  std::string line = next_line();
  while (line.starts_with(R"({"imported")") || line.starts_with(R"({"lacks")")) {
    line = next_line();
  }
  return line;
}

std::string WorkerProcess::next_line() {
  std::string line;
  char c = 0;
  while (::read(status_.get(), &c, 1) == 1 && c != '\n') line.push_back(c);
  return line;
}

void WorkerProcess::spawn_and_wait() {
  spawn();
  std::string line = next_status();
  while (line.find("step") != line.npos) line = next_status();
  ASSERT_EQ(line, R"({"ready":true})") << log();
  scoreboard_->set_state(0, scoreboard::SlotState::ready);
}

int WorkerProcess::wait_for_end() {
  int status = -1;
  EXPECT_TRUE(wait_until([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; })) << log();
  pid_ = -1;
  return status;
}

std::string WorkerProcess::make_gate() {
  const std::string gate = folder_.path() + "/gate";
  EXPECT_EQ(::mkfifo(gate.c_str(), 0600), 0);
  return gate;
}

void WorkerProcess::exec(std::vector<int> descriptors) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  std::vector<base::UniqueFd> moved;  // out of the way of the numbers they are to get
  constexpr int kAboveAll = 20;
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    moved.emplace_back(::fcntl(descriptors[i], F_DUPFD_CLOEXEC, kAboveAll));
    posix_spawn_file_actions_adddup2(&actions, moved.back().get(), static_cast<int>(i) + 1);
  }
  std::string program = TEST_WORKER;
  char* arguments[] = {program.data(), nullptr};
  const int error = ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  ASSERT_EQ(error, 0);
}

}  // namespace pyhost::test
