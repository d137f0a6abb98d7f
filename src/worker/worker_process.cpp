#include "worker/worker_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <random>
#include <utility>

#include "appmetrics/lanes.h"
#include "appmetrics/memory.h"
#include "base/clock.h"
#include "base/file_log.h"
#include "base/out_of_memory.h"
#include "base/signals.h"
#include "control/control_channel.h"
#include "control/worker_brief.h"
#include "control/worker_descriptors.h"
#include "control/worker_limits.h"
#include "control/worker_report.h"
#include "os/small_file.h"
#include "plugin/plugin_loader.h"
#include "scoreboard/report_writer.h"
#include "scoreboard/scoreboard.h"
#include "worker/engine_settings.h"
#include "worker/lacked_scripts.h"
#include "worker/life_keeper.h"
#include "worker/script_imports.h"
#include "worker/standby.h"
#include "worker/stop_events.h"
#include "worker/supervisor_orders.h"
#include "worker/thread_pool.h"

namespace pyhost::worker {
namespace {

using base::LogLevel;
using base::Message;
using control::WorkerBrief;
using StatusKind = control::StatusReport::Kind;

[[noreturn]] void leave(int code) {
  std::fflush(nullptr);
  ::_exit(code);
}

base::Result<std::string> read_settings_text(int fd) {
  auto text = os::read_whole(fd, control::kTextBytesMax);
  if (text) return text;
  return base::fail(
      fmt::format("the worker's settings cannot be read: {}; pyhost-worker is started by "
                  "pyhost-supervisor only",
                  text.error().sentence));
}

// The group's error log, which the application may take its standard error away from.
base::UniqueFd open_log() {
  return base::UniqueFd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, control::kWorkerFds));
}

// Spreads the ends of workers that started together over a tenth of the limit.
std::uint64_t with_jitter(std::uint64_t requests_max) {
  constexpr std::uint64_t kJitterShare = 10;
  if (requests_max == 0) return 0;
  std::random_device random;
  return requests_max +
         std::uniform_int_distribution<std::uint64_t>(0, requests_max / kJitterShare)(random);
}

class WorkerProcess {
 public:
  WorkerProcess(WorkerBrief brief, scoreboard::ReportWriter report,
                std::optional<appmetrics::Memory> metrics)
      : brief_(std::move(brief)),
        limits_(control::limits_of(brief_.group)),
        report_(std::move(report)),
        metrics_(std::move(metrics)),
        label_(fmt::format("worker {} of process group '{}'", brief_.assignment.slot,
                           brief_.group.name)),
        log_(open_log(), brief_.settings.log),
        served_max_(with_jitter(limits_.requests_max)) {}

  // False when the worker was told to end before it could serve.
  base::Result<bool> start();
  // Returns when nothing is left to be served.
  void serve_until_stopped();
  [[noreturn]] void end();

 private:
  [[noreturn]] void end_broken(std::string_view what) noexcept;
  base::Result<> start_engine();
  gateway::MetricsMemory own_metrics() const noexcept;
  bool ask_whether_to_serve();
  void pause_before_next_service();
  base::Result<> start_pool();
  void report_imports() noexcept;
  void count_request();
  void poke_while_draining();
  void heed(StopEvent event, WorkerLife& life);

  WorkerBrief brief_;
  const control::WorkerLimits limits_;
  scoreboard::ReportWriter report_;
  const std::optional<appmetrics::Memory> metrics_;  // Python's threads may use it until the end
  const std::string label_;
  base::FileLog log_;
  const std::uint64_t served_max_;
  const base::TimePoint started_ = base::Clock::now();
  std::optional<base::TimePoint> end_by_;  // with httpd
  std::optional<StopEvents> events_;  // before Python is there, signals do what they usually do
  std::atomic<std::uint64_t> served_ = 0;
  std::atomic<bool> draining_ = false;
  std::atomic<bool> lifespan_lost_ = false;
  LackedScripts lacked_{report_};
  SupervisorOrders orders_{log_, report_, static_cast<int>(brief_.group.listen_backlog)};
  std::unique_ptr<gateway::Engine> engine_;
  std::optional<ScriptImports> imports_;  // with the engine, as the next two
  std::optional<Standby> standby_;
  std::unique_ptr<ThreadPool> pool_;
};

base::Result<bool> WorkerProcess::start() {
  control::report({.kind = StatusKind::step, .step = control::StartStep::python});
  PH_TRY_VOID(start_engine());
  PH_TRY(events, StopEvents::open(control::kWorkerStatusFd,
                                  {.on_message = [this] { return orders_.heed_next(); },
                                   .on_broken = [this] { end_broken("event descriptor"); }}));
  events_.emplace(std::move(events));
  if (gateway::ChannelLoops* loops = engine_->loops()) {
    loops->on_lifespan_lost([this] {
      lifespan_lost_ = true;
      events_->poke();
    });
  }
  imports_.emplace(ImportSurroundings{label_, brief_, *engine_, *events_, lacked_, log_});
  const bool serves = brief_.group.threads != 0;
  // What a service does is its scripts' import.
  if (!serves) control::report(StatusKind::ready);
  control::report({.kind = StatusKind::step, .step = control::StartStep::preload});
  PH_TRY(complete, imports_->import_all());
  if (!serves && complete) pause_before_next_service();
  if (!serves || !complete) return false;
  report_imports();
  if (brief_.assignment.imports_required && imports_->failure()) {
    if (!ask_whether_to_serve()) return false;
  }
  PH_TRY_VOID(start_pool());
  control::report(StatusKind::ready);
  return true;
}

base::Result<> WorkerProcess::start_engine() {
  // Python itself only sets LC_CTYPE.
  if (!brief_.group.locale.empty()) ::setlocale(LC_ALL, brief_.group.locale.c_str());
  const std::string& own = brief_.assignment.plugin;
  PH_TRY(plugin, plugin::load_plugin(own.empty() ? brief_.settings.plugin : own));
  gateway::EngineSettings settings = engine_settings_of(brief_);
  settings.metrics = own_metrics();
  PH_TRY(engine, plugin->open(std::move(settings), log_));
  engine_ = std::move(engine);
  orders_.concern(engine_->watch());
  return {};
}

// Empty when the group keeps none.
gateway::MetricsMemory WorkerProcess::own_metrics() const noexcept {
  if (!metrics_) return {};
  const control::WorkerAssignment& own = brief_.assignment;
  return {.bytes = metrics_->bytes(),
          .slot = own.slot,
          .lane = appmetrics::lane_of(own.slot, own.report),
          .owner = own.generation};
}

// False when the worker was told to end meanwhile.
bool WorkerProcess::ask_whether_to_serve() {
  control::report(StatusKind::asks);
  while (!orders_.may_serve()) {
    if (wants_end(events_->wait(std::nullopt))) return false;
  }
  if (*orders_.may_serve()) return true;
  // What that means for the group is for the supervisor to say.
  control::report_failure(imports_->failure()->sentence);
  leave(1);
}

// A service that ends at once is not to keep a processor busy with its starts.
void WorkerProcess::pause_before_next_service() {
  constexpr std::chrono::seconds kShortestLife{1};
  const base::TimePoint deadline = started_ + kShortestLife;
  while (base::Clock::now() < deadline && events_->wait(deadline) != StopEvent::stop) {
  }
}

base::Result<> WorkerProcess::start_pool() {
  // The kernel tells a connecting child who called listen() last: it must see this process.
  if (::listen(control::kWorkerListeningFd, static_cast<int>(brief_.group.listen_backlog)) != 0) {
    return base::fail(
        fmt::format("the worker's socket cannot be listened to: {}", std::strerror(errno)));
  }
  standby_.emplace(
      StandbySurroundings{label_, report_, engine_->watch(), *imports_, *events_, log_});
  const auto stand_by = [this](std::string_view script) { return standby_->stand_by(script); };
  const auto lack = [this](const gateway::Target& target, std::string_view why) {
    lacked_.note(target, why);
  };
  const auto note_load = [this](unsigned requests) { report_.note_running(requests); };
  PH_TRY(pool, ThreadPool::start(*engine_, base::UniqueFd(control::kWorkerListeningFd),
                                 {.group = brief_.group,
                                  .generation = brief_.assignment.generation,
                                  .socket_timeout = brief_.settings.socket_timeout,
                                  .httpd_uid = brief_.settings.httpd_uid,
                                  .secret = std::exchange(brief_.settings.secret, {}),
                                  .targets = brief_.settings.targets,
                                  .loops_or_null = engine_->loops(),
                                  .on_outdated = stand_by,
                                  .on_lack = lack,
                                  .before_reply = [this] { report_imports(); },
                                  .on_load = note_load,
                                  .on_progress = [this] { poke_while_draining(); },
                                  .on_loop = [this] { events_->poke(); },
                                  .on_broken = [this](std::string_view what) { end_broken(what); }},
                                 log_, [this] { count_request(); }));
  pool_ = std::move(pool);
  orders_.concern(*pool_);
  return {};
}

// A WSGI application needs a thread for each of its requests, whatever else there is.
void WorkerProcess::report_imports() noexcept {
  if (!imports_->report()) return;
  base::if_memory_allows([this] {
    const bool more = engine_->watch()->serves_by_loops_only();
    report_.set_capacity(more ? places_max_of_worker(brief_.group) : 0);
  });
}

void WorkerProcess::count_request() {
  report_.count_request();
  if (++served_ == served_max_ || draining_) events_->poke();
}

void WorkerProcess::poke_while_draining() {
  if (draining_) events_->poke();
}

void WorkerProcess::heed(StopEvent event, WorkerLife& life) {
  switch (event) {
    case StopEvent::hurry:
      if (!end_by_) end_by_ = base::Clock::now() + limits_.shutdown_timeout;
      life.hurry(base::Clock::now());
      break;
    case StopEvent::stop:
      life.stop(base::Clock::now());
      break;
    case StopEvent::evict:
      life.replace(EndReason::eviction);
      break;
    case StopEvent::cpu_time:
      life.replace(EndReason::cpu_time_limit);
      break;
    case StopEvent::hang_up:
      engine_->announce_signal(SIGHUP);
      break;
    case StopEvent::user_defined:
      engine_->announce_signal(SIGUSR2);
      break;
    case StopEvent::none:
    case StopEvent::progress:
      break;
  }
}

void WorkerProcess::serve_until_stopped() {
  LifeKeeper keeper({.label = label_,
                     .limits = limits_,
                     .pool = *pool_,
                     .python = *engine_,
                     .standby = *standby_,
                     .report = report_,
                     .log = log_},
                    WorkerLife(limits_, served_max_, started_));
  while (true) {
    if (lifespan_lost_) keeper.life().replace(EndReason::lifespan_lost);
    const bool stands_by = standby_->attend(*pool_);
    const auto farewell = keeper.advance(served_);
    if (farewell == Farewell::at_once) leave(0);
    if (farewell) return;
    // A request that ended before this was set has poked nobody.
    const bool draining = keeper.life().draining();
    if (draining_.exchange(draining) != draining) continue;
    auto deadline = keeper.next_deadline();
    if (stands_by) {
      const base::TimePoint look = base::Clock::now() + Standby::kBetweenLooks;
      deadline = std::min(deadline.value_or(look), look);
    }
    heed(events_->wait(deadline), keeper.life());
  }
}

// Nothing can be served or heard any more, and another file may have any number that was ours, that
// of the log too.
void WorkerProcess::end_broken(std::string_view what) noexcept {
  static std::atomic_flag told;
  while (told.test_and_set()) ::pause();
  base::FileLog(base::UniqueFd(::dup(STDERR_FILENO)), brief_.settings.log)
      .log(LogLevel::error, Message::descriptors_closed,
           fmt::format("{} ends: its {} is closed, or another file has its number; the application "
                       "has closed descriptors that are not its own",
                       label_, what));
  ::_exit(scoreboard::kWorkerExitBroken);
}

void WorkerProcess::end() {
  // Whoever has served has been told; a service is not.
  if (brief_.group.threads != 0) engine_->announce_stop(shutdown_reason(EndReason::stopped));
  // Requests may have used up what there was; atexit functions get a moment all the same.
  constexpr std::chrono::milliseconds kLastMoment{500};
  const base::TimePoint deadline = end_by_ ? std::max(*end_by_, base::Clock::now() + kLastMoment)
                                           : base::Clock::now() + limits_.shutdown_timeout;
  if (pool_) {
    using std::chrono::milliseconds;
    // A request that is still there has had its time.
    const bool idle = pool_->requests_active() == 0;
    pool_->stop(idle ? limits_.shutdown_timeout : milliseconds(0));
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - base::Clock::now());
  engine_->stop(std::max(left, std::chrono::milliseconds(0)));
  leave(0);
}

base::Result<std::unique_ptr<WorkerProcess>> open_worker() {
  for (int fd = control::kWorkerListeningFd; fd < control::kWorkerFds; ++fd) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  const base::UniqueFd told(control::kWorkerSettingsFd);
  PH_TRY(text, read_settings_text(told.get()));
  auto brief = control::parse_worker_brief(text);
  ::explicit_bzero(text.data(), text.size());  // it has the secret
  if (!brief) return tl::unexpected(std::move(brief).error());
  const control::WorkerAssignment& own = brief->assignment;
  const base::UniqueFd board(control::kWorkerBoardFd), reports(control::kWorkerReportsFd);
  PH_TRY(report, scoreboard::ReportWriter::take(board.get(), reports.get(), own.row, own.generation,
                                                own.report));
  const base::UniqueFd metrics(control::kWorkerMetricsFd);
  auto memory = appmetrics::Memory::map(metrics.get(), appmetrics::Access::write);
  return std::make_unique<WorkerProcess>(*std::move(brief), std::move(report),
                                         memory ? std::optional(*std::move(memory)) : std::nullopt);
}

// The supervisor says so in the log, and when it is tried again.
[[noreturn]] void leave_for(const base::Error& error) {
  if (!control::report_failure(error.sentence)) {
    base::FileLog(open_log(), {.level = LogLevel::info})
        .log(LogLevel::error, Message::worker_start_failed, error.sentence);
  }
  leave(1);
}

}  // namespace

int try_plugin(const char* path, const char* group) {
  const auto plugin = plugin::load_plugin(path);
  if (plugin) return 0;
  control::report_failure(
      fmt::format("WSGIDaemonProcess {}: below its chroot=, {}", group, plugin.error().sentence));
  return 1;
}

void run_worker() {
  ::signal(SIGPIPE, SIG_IGN);
  base::unblock_signals();
  const auto worker = open_worker();
  if (!worker) leave_for(worker.error());
  const auto serves = (*worker)->start();
  if (!serves) leave_for(serves.error());
  if (*serves) (*worker)->serve_until_stopped();
  (*worker)->end();
}

}  // namespace pyhost::worker
