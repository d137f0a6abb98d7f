// pyhost-worker as the supervisor starts it, with a real CPython inside.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "daemon/group_fixture.h"
#include "harness/process.h"
#include "pyhost/gateway/worker_settings.h"

namespace pyhost::test {
namespace {

using gateway::Outcome;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class WorkerProcess : public GroupTest {
 protected:
  WorkerProcess() {
    worker_.engine.process_group = "blog";
    worker_.plugin = TEST_PLUGIN;
    worker_.threads = 2;
    worker_.httpd_uid = ::getuid();
    worker_.log_level = base::LogLevel::info;
    worker_.targets.folders = {folder_.path() + "/"};
  }

  ~WorkerProcess() override {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  // Starts the worker in slot 0.
  void spawn() {
    int pipe[2];
    ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
    status_.reset(pipe[0]);
    const std::string json = to_json(worker_);
    const base::UniqueFd settings(::memfd_create("settings", MFD_CLOEXEC));
    ASSERT_EQ(::write(settings.get(), json.data(), json.size()), ssize_t(json.size()));
    const base::UniqueFd listening = listen_at(settings_.socket_paths[0]);
    const base::UniqueFd report(pipe[1]);
    const std::string log = folder_.path() + "/worker.log";
    const base::UniqueFd log_file(::open(log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    exec({log_file.get(), log_file.get(), listening.get(), report.get(), settings.get(),
          scoreboard_.fd()});
    scoreboard_.begin_generation({0, 0}, pid_, 1, worker_.threads);
  }

  // The next line of the status pipe; empty at its end.
  std::string next_status() {
    std::string line;
    char c = 0;
    while (::read(status_.get(), &c, 1) == 1 && c != '\n') line.push_back(c);
    return line;
  }

  void spawn_and_wait() {
    spawn();
    std::string line = next_status();
    while (line.find("step") != line.npos) line = next_status();
    ASSERT_EQ(line, R"({"ready":true})") << log();
    scoreboard_.set_state({0, 0}, metrics::SlotState::ready);
  }

  // What waitpid() says, once the worker has ended.
  int wait_for_end() {
    int status = -1;
    EXPECT_TRUE(wait_until([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; })) << log();
    pid_ = -1;
    return status;
  }

  std::string log() const { return read_file(folder_.path() + "/worker.log"); }
  std::string script(std::string_view name, std::string_view text) {
    return folder_.write(name, text);
  }

  gateway::WorkerSettings worker_;
  base::UniqueFd status_;
  pid_t pid_ = -1;

 private:
  void exec(std::vector<int> descriptors) {
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
};

constexpr std::string_view kHello = R"(
import mod_wsgi
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'hello ' + mod_wsgi.process_group.encode()]
)";

TEST_F(WorkerProcess, ServesAWsgiApplication) {
  const std::string hello = script("hello.wsgi", kHello);
  worker_.preloads = {{.application_group = "", .script = hello}};
  spawn_and_wait();
  FakeExchange exchange;
  EXPECT_EQ(run(hello, exchange).kind, Outcome::Kind::complete);
  EXPECT_EQ(exchange.status(), 200);
  EXPECT_EQ(exchange.body(), "hello blog");
  EXPECT_EQ(exchange.parts().size(), 1u);
  EXPECT_TRUE(wait_until([&] { return scoreboard_.status({0, 0}).requests == 1; }));
}

TEST_F(WorkerProcess, AnswersAnExceptionWith500AndItsTraceback) {
  const std::string broken =
      script("broken.wsgi", "def application(environ, start_response):\n    raise KeyError('x')\n");
  spawn_and_wait();
  FakeExchange exchange;
  EXPECT_EQ(run(broken, exchange).status, 500);
  EXPECT_THAT(exchange.recorder().text_of(base::Message::application_raised),
              HasSubstr("KeyError"));
}

TEST_F(WorkerProcess, SaysWhyItCannotStart) {
  worker_.plugin = "/nonexistent/plugin.so";
  spawn();
  std::string last, line;
  while (!(line = next_status()).empty()) last = line;
  EXPECT_THAT(last, HasSubstr(R"({"failed":"/nonexistent/plugin.so cannot be loaded)"));
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 1");
  EXPECT_THAT(log(), HasSubstr("PH0472: /nonexistent/plugin.so"));
}

TEST_F(WorkerProcess, StartsAlthoughAPreloadedScriptFails) {
  worker_.preloads = {{.application_group = "", .script = script("bad.wsgi", "1/0\n")}};
  spawn_and_wait();
  EXPECT_THAT(log(), HasSubstr("ZeroDivisionError"));
}

TEST_F(WorkerProcess, FinishesRunningRequestsOnSigterm) {
  const std::string gate = folder_.path() + "/gate";
  ASSERT_EQ(::mkfifo(gate.c_str(), 0600), 0);
  const std::string held = script("held.wsgi", fmt::format(R"(
def application(environ, start_response):
    start_response('200 OK', [])
    return [open('{}', 'rb').read()]
)",
                                                           gate));
  spawn_and_wait();
  engine();
  FakeExchange exchange;
  std::thread client([&] { run(held, exchange); });
  // Opening waits until the application reads.
  base::UniqueFd writer(::open(gate.c_str(), O_WRONLY | O_CLOEXEC));
  ::kill(pid_, SIGTERM);
  EXPECT_TRUE(wait_until([&] {
    return scoreboard_.status({0, 0}).state == metrics::SlotState::draining;
  }));
  EXPECT_EQ(::write(writer.get(), "late", 4), 4);
  writer.reset();
  client.join();
  EXPECT_EQ(exchange.body(), "late");
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
}

TEST_F(WorkerProcess, SecondSigtermDoesNotWait) {
  const std::string gate = folder_.path() + "/gate";
  ASSERT_EQ(::mkfifo(gate.c_str(), 0600), 0);
  const std::string held = script("held.wsgi", fmt::format(R"(
def application(environ, start_response):
    open('{}', 'rb').read()
)",
                                                           gate));
  worker_.shutdown_timeout = 1ms;
  spawn_and_wait();
  engine();
  FakeExchange exchange;
  std::thread client([&] { EXPECT_EQ(run(held, exchange).status, 502); });
  const base::UniqueFd writer(::open(gate.c_str(), O_WRONLY | O_CLOEXEC));
  ::kill(pid_, SIGTERM);
  EXPECT_TRUE(wait_until([&] {
    return scoreboard_.status({0, 0}).state == metrics::SlotState::draining;
  }));
  ::kill(pid_, SIGTERM);
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
  client.join();
  EXPECT_THAT(log(), HasSubstr("PH0478"));
}

TEST_F(WorkerProcess, EndsWhenTheSupervisorIsGone) {
  spawn_and_wait();
  status_.reset();
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
}

TEST_F(WorkerProcess, EndsAfterItsLimitOfRequests) {
  const std::string hello = script("hello.wsgi", kHello);
  worker_.requests_max = 5;
  spawn_and_wait();
  for (int i = 0; i < 5; ++i) {
    FakeExchange exchange;
    EXPECT_EQ(run(hello, exchange).kind, Outcome::Kind::complete);
  }
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 0");
}

TEST_F(WorkerProcess, ProgramsOfTheApplicationCanBeTerminated) {
  const std::string child = script("child.wsgi", R"(
import subprocess
def application(environ, start_response):
    child = subprocess.Popen(['/bin/sleep', '1000'])
    child.terminate()
    start_response('200 OK', [])
    return [str(child.wait(20)).encode()]
)");
  spawn_and_wait();
  FakeExchange exchange;
  EXPECT_EQ(run(child, exchange).kind, Outcome::Kind::complete);
  EXPECT_EQ(exchange.body(), "-15");
}

TEST_F(WorkerProcess, KilledWorkerCostsItsRequestOnly) {
  const std::string suicide = script("suicide.wsgi", R"(
import os, signal
def application(environ, start_response):
    os.kill(os.getpid(), signal.SIGKILL)
)");
  spawn_and_wait();
  FakeExchange exchange;
  std::thread supervisor([&] {
    const int status = wait_for_end();
    scoreboard_.record_death({0, 0}, {.cause = metrics::DeathCause::signal,
                                      .detail = static_cast<std::uint16_t>(WTERMSIG(status)),
                                      .generation = 1});
  });
  EXPECT_EQ(run(suicide, exchange).status, 502);
  supervisor.join();
  EXPECT_THAT(exchange.recorder().text_of(base::Message::worker_lost),
              HasSubstr("was killed by signal 9 (SIGKILL)"));
}

}  // namespace
}  // namespace pyhost::test
