#include "supervisor/group/living_workers.h"

#include <fmt/format.h>

#include <utility>

#include "control/control_channel.h"
#include "control/worker_brief.h"
#include "os/pidfd.h"
#include "scoreboard/board_rows.h"

namespace pyhost::supervisor {

using base::LogLevel;
using base::Message;

namespace {

// `imports` is nothing for a worker that is the first.
control::WorkerAssignment assignment_of(const GroupSetup& setup, const WorkerPlace& place,
                                        const std::optional<StartImports>& imports) {
  control::WorkerAssignment assignment{.slot = place.slot,
                                       .row = scoreboard::row_of(place.slot),
                                       .generation = place.generation,
                                       .report = place.report,
                                       .plugin = setup.inputs.plugin,
                                       .python_program = setup.inputs.python_program,
                                       .python_home = setup.inputs.python_home};
  if (imports) {
    assignment.imports = imports->scripts;
    assignment.imports_required = imports->required;
  }
  return assignment;
}

}  // namespace

LivingWorkers::LivingWorkers(os::EventLoop& loop, Handlers handlers)
    : loop_(loop), handlers_(std::move(handlers)) {}

LivingWorkers::~LivingWorkers() {
  for (const auto& [pid, worker] : workers_) forget(worker);
}

void LivingWorkers::forget(const LivingWorker& worker) noexcept {
  loop_.forget(worker.pidfd.get());
  loop_.forget(worker.status.fd());
}

base::Result<LivingWorker*> LivingWorkers::start(const GroupSetup& setup, const WorkerPlace& place,
                                                 const std::optional<StartImports>& imports,
                                                 ScriptKeys required, int socket) {
  const std::string brief = control::worker_brief(setup.options(), setup.wanted.worker_settings,
                                                  assignment_of(setup, place, imports));
  PH_TRY(settings, control::make_memory_file("pyhost-settings", brief));
  PH_TRY(process, launch::start_worker(
                      setup.plan, {.log = setup.log->fd(),
                                   .listen = socket,
                                   .settings = settings.get(),
                                   .board = setup.for_workers.board.get(),
                                   .reports = setup.for_workers.reports.get(),
                                   .metrics = setup.metrics ? setup.metrics->file.get() : -1}));
  const pid_t pid = process.pid;
  LivingWorker& worker =
      workers_
          .emplace(pid, LivingWorker{.place = place,
                                     .pid = pid,
                                     .threads = places_of_worker(setup.options()),
                                     .limits = life_limits(setup.options()),
                                     .required = std::move(required),
                                     .pidfd = std::move(process.pidfd),
                                     .status = control::StatusReader(std::move(process.status)),
                                     .started = base::Clock::now(),
                                     .started_us = base::now_us()})
          .first->second;
  if (const auto watched = watch(worker); !watched) {
    setup.log->log(LogLevel::crit, Message::supervisor_stuck,
                   fmt::format("process group '{}': the end of process {} cannot be watched: {}",
                               setup.options().name, pid, watched.error().sentence));
  }
  return &worker;
}

base::Result<> LivingWorkers::watch(LivingWorker& worker) {
  const pid_t pid = worker.pid;
  const auto watched = loop_.watch(worker.pidfd.get(), [this, pid] { reap(pid); });
  const auto heard = loop_.watch(worker.status.fd(), [this, pid] { hear(pid); });
  return watched ? heard : watched;
}

void LivingWorkers::hear(pid_t pid) {
  LivingWorker& worker = workers_.at(pid);
  for (const control::StatusReport& report : worker.status.read()) {
    handlers_.on_report(worker, report);
  }
  if (worker.status.at_end()) loop_.forget(worker.status.fd());
}

void LivingWorkers::hear_all() {
  for (const auto& [pid, worker] : workers_) hear(pid);
}

void LivingWorkers::hand_log_over(QueuedLog& log) const {
  for (const auto& [pid, worker] : workers_) {
    const auto sent =
        control::send_order(worker.status.fd(), control::WorkerOrder::Kind::log, "", log.fd());
    if (!sent) {
      log.log(LogLevel::info, Message::log_not_taken,
              fmt::format("process {}, a worker, goes on writing to the log of before: {}", pid,
                          sent.error().sentence));
    }
  }
}

void LivingWorkers::signal_all(int signal) const noexcept {
  for (const auto& [pid, worker] : workers_) ::kill(pid, signal);
}

void LivingWorkers::reap(pid_t pid) {
  // What it said last is part of why it ended.
  hear(pid);
  siginfo_t info{};
  rusage usage{};
  if (!os::take_end(workers_.at(pid).pidfd.get(), info, usage)) return;
  auto ended = workers_.extract(pid);
  forget(ended.mapped());
  handlers_.on_end(ended.mapped(), info, usage);
}

}  // namespace pyhost::supervisor
