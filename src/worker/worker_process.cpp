#include "worker/worker_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>

#include "metrics/scoreboard.h"
#include "pyhost/base/file_log.h"
#include "pyhost/gateway/plugin_loader.h"
#include "pyhost/gateway/worker_settings.h"
#include "worker/stop_events.h"
#include "worker/thread_pool.h"

namespace pyhost::worker {
namespace {

using base::LogLevel;
using base::Message;
using gateway::WorkerSettings;
using Clock = std::chrono::steady_clock;

void report(const nlohmann::json& status) {
  const std::string line =
      status.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  // A supervisor that has gone is noticed elsewhere.
  static_cast<void>(!::write(gateway::kWorkerStatusFd, line.data(), line.size()));
}

void report_step(const char* step) {
  report({{"step", step}});
}

[[noreturn]] void leave(int code) {
  std::fflush(nullptr);
  ::_exit(code);
}

base::Result<std::string> read_whole(int fd) {
  struct stat file {};
  if (::fstat(fd, &file) != 0) {
    return base::fail(
        fmt::format("the worker's settings cannot be read: {}; pyhost-worker is "
                    "started by pyhost-supervisor only",
                    std::strerror(errno)));
  }
  std::string text(static_cast<std::size_t>(file.st_size), '\0');
  if (::pread(fd, text.data(), text.size(), 0) != file.st_size) {
    return base::fail("the worker's settings cannot be read completely");
  }
  return text;
}

// The group's error log, which the application may take its standard error away from.
base::UniqueFd open_log() {
  return base::UniqueFd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, gateway::kWorkerFds));
}

// Spreads the ends of workers that started together over a tenth of the limit.
std::uint64_t with_jitter(std::uint64_t requests_max) {
  constexpr std::uint64_t kJitterShare = 10;
  std::random_device random;
  return requests_max +
         std::uniform_int_distribution<std::uint64_t>(0, requests_max / kJitterShare)(random);
}

class WorkerProcess {
 public:
  WorkerProcess(WorkerSettings settings, metrics::Scoreboard scoreboard)
      : settings_(std::move(settings)),
        scoreboard_(std::move(scoreboard)),
        log_(open_log(), settings_.log_level),
        requests_limit_(settings_.requests_max == 0 ? 0 : with_jitter(settings_.requests_max)) {}

  base::Result<> start();
  [[noreturn]] void serve_until_stopped();

 private:
  base::Result<> start_engine();
  base::Result<> preload();
  base::Result<> start_pool();
  void import(const gateway::Preload& preload);
  void count_request() noexcept;
  void drain();
  metrics::SlotId slot() const noexcept { return {settings_.group_index, settings_.slot_index}; }

  const WorkerSettings settings_;
  metrics::Scoreboard scoreboard_;
  std::optional<StopEvents> events_;  // before the pool starts, signals do what they usually do
  base::FileLog log_;
  const std::uint64_t requests_limit_;
  std::atomic<std::uint64_t> served_ = 0;
  std::atomic<bool> draining_ = false;
  std::unique_ptr<gateway::Engine> engine_;
  std::unique_ptr<ThreadPool> pool_;
};

base::Result<> WorkerProcess::start() {
  report_step("python");
  PH_TRY_VOID(start_engine());
  report_step("preload");
  PH_TRY_VOID(preload());
  if (settings_.threads != 0) PH_TRY_VOID(start_pool());
  report({{"ready", true}});
  log_.log(LogLevel::info, Message::worker_ready,
           fmt::format("worker {} of process group '{}' is ready with {} threads",
                       settings_.slot_index, settings_.engine.process_group, settings_.threads));
  return {};
}

base::Result<> WorkerProcess::start_engine() {
  PH_TRY(plugin, gateway::load_plugin(settings_.plugin));
  PH_TRY(engine, plugin->start(settings_.engine, log_));
  engine_ = std::move(engine);
  return {};
}

// On a thread of its own, for Python's stack; a script that cannot be imported is tried again by
// the first request.
base::Result<> WorkerProcess::preload() {
  if (settings_.preloads.empty()) return {};
  PH_TRY(thread, base::NamedThread::start("wsgi-preload", settings_.stack_bytes, [this] {
           unblock_signals();
           for (const gateway::Preload& preload : settings_.preloads) import(preload);
         }));
  thread.join();
  return {};
}

void WorkerProcess::import(const gateway::Preload& preload) {
  gateway::Target target{.process_group = settings_.engine.process_group,
                         .application_group = preload.application_group,
                         .script = preload.script};
  if (gateway::split_module_target(preload.script, target.script, target.callable)) {
    target.kind = gateway::TargetKind::module;
  }
  if (const auto imported = engine_->preload(target, log_); !imported) {
    log_.log(LogLevel::error, Message::preload_failed, imported.error().sentence);
  }
}

base::Result<> WorkerProcess::start_pool() {
  PH_TRY(events, StopEvents::open(gateway::kWorkerStatusFd));
  events_.emplace(std::move(events));
  // The kernel tells a connecting child who called listen() last: it must see this process.
  if (::listen(gateway::kWorkerListeningFd, settings_.listen_backlog) != 0) {
    return base::fail(
        fmt::format("the worker's socket cannot be listened to: {}", std::strerror(errno)));
  }
  PH_TRY(pool,
         ThreadPool::start(*engine_, base::UniqueFd(gateway::kWorkerListeningFd),
                           {.process_group = settings_.engine.process_group,
                            .threads = settings_.threads,
                            .stack_bytes = std::max(settings_.stack_bytes, base::kPythonStackBytes),
                            .socket_timeout = settings_.socket_timeout,
                            .httpd_uid = settings_.httpd_uid,
                            .targets = settings_.targets},
                           log_, [this] { count_request(); }));
  pool_ = std::move(pool);
  return {};
}

void WorkerProcess::count_request() noexcept {
  scoreboard_.count_request(slot());
  if (++served_ == requests_limit_ || draining_) events_->poke();
}

void WorkerProcess::serve_until_stopped() {
  if (pool_) {
    while (events_->wait({}) != StopEvent::stop && served_ < requests_limit_) {
    }
    drain();
    pool_->stop(settings_.shutdown_timeout);
  }
  engine_->stop(settings_.shutdown_timeout);
  leave(0);
}

void WorkerProcess::drain() {
  log_.log(LogLevel::info, Message::worker_draining,
           fmt::format("worker {} of process group '{}' stops after {} requests",
                       settings_.slot_index, settings_.engine.process_group, served_.load()));
  static_cast<void>(scoreboard_.begin_draining(slot()));
  draining_ = true;
  pool_->drain();
  const auto deadline = Clock::now() + settings_.graceful_timeout;
  while (pool_->requests_running() != 0 && events_->wait(deadline) == StopEvent::progress) {
  }
  if (const unsigned running = pool_->requests_running(); running != 0) {
    log_.log(LogLevel::warn, Message::drain_overrun,
             fmt::format("worker {} of process group '{}' ends with {} requests running",
                         settings_.slot_index, settings_.engine.process_group, running));
  }
}

base::Result<std::unique_ptr<WorkerProcess>> start_worker() {
  for (int fd = gateway::kWorkerListeningFd; fd <= gateway::kWorkerScoreboardFd; ++fd) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  PH_TRY(text, read_whole(gateway::kWorkerSettingsFd));
  PH_TRY(settings, gateway::parse_worker_settings(text));
  PH_TRY(scoreboard, metrics::Scoreboard::map(base::UniqueFd(gateway::kWorkerScoreboardFd)));
  if (settings.group_index >= scoreboard.groups() ||
      settings.slot_index >= scoreboard.slots(settings.group_index)) {
    return base::fail("the scoreboard has no row for this worker; restart httpd");
  }
  auto worker = std::make_unique<WorkerProcess>(std::move(settings), std::move(scoreboard));
  PH_TRY_VOID(worker->start());
  return worker;
}

}  // namespace

void run_worker() {
  ::signal(SIGPIPE, SIG_IGN);
  unblock_signals();
  auto worker = start_worker();
  if (!worker) {
    base::FileLog(open_log(), LogLevel::info)
        .log(LogLevel::error, Message::worker_start_failed, worker.error().sentence);
    report({{"failed", worker.error().sentence}});
    leave(1);
  }
  (*worker)->serve_until_stopped();
}

}  // namespace pyhost::worker
