#include "supervisor/group/worker_group.h"

#include <signal.h>

#include <utility>

#include "appmetrics/lanes.h"
#include "appmetrics/reset.h"
#include "control/end_reason.h"
#include "scoreboard/board_rows.h"

namespace pyhost::supervisor {

using base::LogLevel;
using control::StatusReport;
using scoreboard::Death;

WorkerGroup::WorkerGroup(os::EventLoop& loop, OomCounter& oom, std::string socket_prefix)
    : oom_(oom),
      life_(0, {}),
      log_(setup_),
      sockets_(std::move(socket_prefix), log_),
      workers_(loop,
               {.on_report = [this](auto& worker, const auto& report) { heed(worker, report); },
                .on_end = [this](auto& worker, const auto& info,
                                 const auto& usage) { bury(worker, info, usage); }}),
      rows_(setup_, life_),
      counts_(setup_, workers_),
      deploys_(parts()),
      silence_(loop, parts(), deploys_.kept(),
               [this](auto& worker, auto finding) { replace_silent(worker, finding); }) {}

// --- What is wanted ---

void WorkerGroup::adopt(GroupSetup setup) {
  // What they have imported is to be known before their successors start.
  workers_.hear_all();
  const bool keeps_workers = runs() && setup.keeps_workers_of(setup_);
  setup_ = std::move(setup);
  told_troubles_.reset();
  wanted_ = true;
  sockets_.adopt(std::exchange(setup_.sockets, {}), options());
  look_for_children_at_.reset();
  // Only the scoreboard knows what a supervisor was told that has crashed.
  stopped_ = stopped_ || setup_.scoreboard->is_stopped();
  if (stopped_) setup_.scoreboard->stop_group();
  if (!keeps_workers) {
    renew(StartReason::operators);
    deploys_.note_other_reason();
  }
  workers_.hand_log_over(*setup_.log);
  for (unsigned slot = 0; slot < worker_count(options()); ++slot) {
    life_.slot(slot).begin_behind(setup_.scoreboard->status(scoreboard::row_of(slot)).generation);
    rows_.record(slot);
  }
  deploys_.kept().adopt();
}

void WorkerGroup::renew(StartReason reason) {
  counts_.reasons().renewed(worker_count(options()), reason);
  life_.renew(worker_count(options()), life_limits(options()));
  deploys_.renewed();
  if (stopped_) life_.stop();
}

void WorkerGroup::remove(Why why) {
  if (why == Why::not_configured) {
    setup_.scoreboard->start_group();
    wanted_ = false;
    look_for_children_at_ = base::Clock::now();
    return;
  }
  end();
  const bool hurries = why == Why::httpd_has_ended && !std::exchange(hurried_, true);
  if (hurries) workers_.signal_all(ending_signal());
}

void WorkerGroup::end() noexcept {
  wanted_ = false;
  look_for_children_at_.reset();
  life_.remove();
  deploys_.kept().keepers().end_all();
}

void WorkerGroup::reload(const std::string& changed) {
  mend_sockets();
  // What they have imported is to be known before their successors start.
  workers_.hear_all();
  renew(changed.empty() ? StartReason::operators : StartReason::deploy);
  deploys_.note_file(changed);
}

void WorkerGroup::stop() {
  stopped_ = true;
  setup_.scoreboard->stop_group();
  life_.stop();
  deploys_.kept().keepers().end_all();
}

void WorkerGroup::start() {
  mend_sockets();
  stopped_ = false;
  setup_.scoreboard->start_group();
  renew(StartReason::operators);
  deploys_.note_other_reason();
}

// --- The loop ---

void WorkerGroup::advance() {
  constexpr base::Milliseconds kBetweenLooks{200};
  if (look_for_children_at_ && base::Clock::now() >= *look_for_children_at_) {
    look_for_children_at_ = base::Clock::now() + kBetweenLooks;
    if (stopped_ || !setup_.scoreboard->has_children()) end();
  }
  deploys_.retry_import(may_retry());
  // Where one worker is kept for what its successor lacks, others are to be asked to stay as well.
  const Releases releases = keepers().empty() ? Releases::allowed : Releases::denied;
  for (const SlotOrder& each : life_.step(base::Clock::now(), releases)) {
    carry_out(each.slot, each.order);
  }
  deploys_.advance_keepers(ending_signal());
  sockets_.shrink(life_.slots());
  if (life_.up_to_date() && workers_.size() <= life_.slots()) sockets_.drop_replaced();
}

std::optional<base::TimePoint> WorkerGroup::next_deadline() const noexcept {
  return base::earliest(look_for_children_at_,
                        base::earliest(life_.next_deadline(), deploys_.next_deadline(may_retry())));
}

void WorkerGroup::mend_sockets() {
  for (const unsigned slot : sockets_.mend(options(), worker_count(options()))) {
    if (!stopped_) life_.slot(slot).renew(life_limits(options()));
    deploys_.note_other_reason();
  }
}

// What tells a worker to end.
int WorkerGroup::ending_signal() const noexcept {
  return hurried_ ? control::kHurrySignal : SIGTERM;
}

void WorkerGroup::carry_out(unsigned slot, const Order& order) {
  switch (order.kind) {
    case Order::Kind::spawn:
      spawn(slot, order.generation);
      break;
    case Order::Kind::terminate:
      ::kill(order.pid, ending_signal());
      rows_.record(slot);
      break;
    case Order::Kind::kill:
      ::kill(order.pid, SIGKILL);
      break;
  }
}

void WorkerGroup::spawn(unsigned slot, unsigned generation) {
  const LivingWorker* serving = parts().serving_or_null(slot);
  const WorkerPlace place{.slot = slot,
                          .generation = generation,
                          .report = serving != nullptr ? 1 - serving->place.report : 0};
  const auto started = workers_.start(setup_, place, deploys_.imports_in(slot),
                                      deploys_.required_in(slot), sockets_.of(slot).fd());
  SlotLife& life = life_.slot(slot);
  if (!started) {
    const base::Milliseconds pause = life.back_off();
    life.spawn_failed(base::Clock::now());
    failures_.note(started.error().sentence);
    log_.start_failed(started.error().sentence, pause);
    deploys_.no_process(slot, failures_.last());
    return;
  }
  LivingWorker& worker = **started;
  life.spawned(worker.pid, worker.started);
  if (!life.serving()) rows_.take_over(worker);
  rows_.record(slot);
  counts_.started(slot);
  log_.started(worker);
}

// --- What workers say ---

void WorkerGroup::heed(LivingWorker& worker, const StatusReport& report) {
  if (deploys_.kept().has(worker.pid)) return heed_keeper(worker, report);
  SlotLife& life = life_.slot(worker.place.slot);
  switch (report.kind) {
    case StatusReport::Kind::step:
      worker.last_step = report.step;
      break;
    case StatusReport::Kind::failed:
      worker.failure = report.text;
      life.failed(worker.pid, base::Clock::now());
      break;
    case StatusReport::Kind::ready:
      begin_serving(worker);
      break;
    case StatusReport::Kind::relieve:
      life.relieve(worker.pid);
      counts_.reasons().note(worker.place.slot, start_reason_of(report.reason));
      deploys_.note_other_reason();
      log_.is_to_be_replaced(worker, name_of(report.reason));
      break;
    case StatusReport::Kind::draining:
      life.draining(worker.pid, base::Clock::now());
      worker.leaving = report.reason;
      counts_.reasons().note(worker.place.slot, start_reason_of(report.reason));
      rows_.record(worker.place.slot);
      break;
    case StatusReport::Kind::alive:
      silence_.heard(worker.pid);
      break;
    case StatusReport::Kind::outdated:
    case StatusReport::Kind::imported:
    case StatusReport::Kind::lacks:
    case StatusReport::Kind::import_again:
    case StatusReport::Kind::asks:
    case StatusReport::Kind::keeping:
      deploys_.heed(worker, report);
      break;
  }
}

void WorkerGroup::heed_keeper(LivingWorker& worker, const StatusReport& report) {
  switch (report.kind) {
    case StatusReport::Kind::draining:
      deploys_.kept().draining(worker, report.reason);
      break;
    case StatusReport::Kind::outdated:
      deploys_.heed(worker, report);
      break;
    case StatusReport::Kind::alive:
      silence_.heard(worker.pid);
      break;
    default:
      break;
  }
}

void WorkerGroup::begin_serving(LivingWorker& worker) {
  if (std::exchange(worker.ready, true)) return;
  failures_.end();
  life_.slot(worker.place.slot).ready(worker.pid, base::Clock::now());
  rows_.take_over(worker);
  rows_.record(worker.place.slot);
  counts_.ready(worker);
  log_.ready(worker);
  deploys_.serves(worker);
}

// --- Ends ---

void WorkerGroup::bury(LivingWorker& worker, const siginfo_t& info, const rusage& usage) {
  const unsigned slot = worker.place.slot;
  const unsigned row = deploys_.kept().row_of(worker);
  const auto as_keeper = deploys_.kept().keepers().ended(worker.pid);
  const LastState last =
      as_keeper ? *as_keeper : life_.slot(slot).ended(worker.pid, base::Clock::now());
  Death death =
      with_reason(death_of(info, last.killed, worker.limits, oom_.has_grown()), worker.leaving);
  death.generation = worker.place.generation;
  death.pid = worker.pid;
  death.time_us = base::now_us();
  // Requests that a keeper got when its slot stood for it look there.
  if (as_keeper) record_end(row, last, death);
  record_end(scoreboard::row_of(slot), last, death);
  if (setup_.metrics) {
    appmetrics::note_end(setup_.metrics->memory, appmetrics::lane_of(slot, worker.place.report),
                         worker.place.generation);
  }
  counts_.ended(worker, death, usage);
  if (!as_keeper && !life_.slot(slot).has_worker()) counts_.reasons().ended(slot, death);
  note_end(worker, last, death);
  silence_.forget(worker.pid);
  deploys_.ended(slot);
  rows_.record(slot);
}

void WorkerGroup::record_end(unsigned row, const LastState& last, const Death& death) {
  if (is_planned(last, death)) return setup_.scoreboard->record_planned_end(row, death);
  setup_.scoreboard->record_death(row, death);
}

void WorkerGroup::note_end(const LivingWorker& worker, const LastState& last, const Death& death) {
  if (last.state != SlotState::starting) return log_.ended(worker, last, death);
  const std::string why = why_it_could_not_start(worker, death);
  // That an import fails once more is nothing new.
  const bool tries_again = !worker.required.empty();
  log_.could_not_start(worker, tries_again ? LogLevel::info : LogLevel::error, why);
  if (!tries_again) failures_.note(why);
  deploys_.start_failed(worker, failures_.last());
}

void WorkerGroup::replace_silent(LivingWorker& worker, Vigils::Finding finding) {
  const bool is_keeper = deploys_.kept().has(worker.pid);
  if (is_keeper) {
    deploys_.kept().keepers().end(worker.pid);
  } else {
    life_.slot(worker.place.slot).relieve(worker.pid);
    counts_.reasons().note(worker.place.slot, StartReason::timeout);
  }
  worker.leaving = control::EndReason::silence;
  log_.serves_no_more(worker, describe(finding), is_keeper ? "ended" : "replaced");
}

bool WorkerGroup::look_after_workers() {
  counts_.look(base::Clock::now());
  tell_troubles();
  return silence_.look();
}

// For httpd's children, which ask nobody.
void WorkerGroup::tell_troubles() {
  auto troubles = metrics::troubles_of(snapshot());
  if (told_troubles_ == troubles) return;
  setup_.scoreboard->tell_troubles(troubles);
  told_troubles_ = std::move(troubles);
}

// --- How it is ---

metrics::GroupSnapshot WorkerGroup::snapshot() const {
  metrics::GroupSnapshot snapshot = metrics::snapshot_of(
      *setup_.scoreboard, name(), worker_count(options()), places_of_worker(options()));
  snapshot.scripts = deploys_.script_status();
  snapshot.more_current_scripts = 0;
  snapshot.reason.clear();
  const metrics::GroupState state = state_of(snapshot);
  if (state == metrics::GroupState::failing) {
    snapshot.reason = snapshot.scripts.front().reason;
  } else if (state == metrics::GroupState::degraded || (failures_.go_on() && !stopped_)) {
    snapshot.reason = failures_.last();
  }
  return snapshot;
}

void WorkerGroup::for_each_worker(
    const std::function<void(const control::WorkerWork&, int)>& visit) {
  workers_.for_each([&](const LivingWorker& worker) {
    const bool keeps = deploys_.kept().has(worker.pid);
    visit({.slot = worker.place.slot,
           .role = keeps ? control::kKeeperRole : control::kWorkerRole,
           .pid = worker.pid,
           .generation = worker.place.generation},
          worker.status.fd());
  });
}

bool WorkerGroup::reset_metrics() noexcept {
  if (!setup_.metrics) return false;
  appmetrics::reset(setup_.metrics->memory);
  return true;
}

metrics::MeasuredGroup WorkerGroup::measured() const {
  return {.name = name(),
          .board = *setup_.scoreboard,
          .slots = worker_count(options()),
          .threads = places_of_worker(options()),
          .own_threads = options().threads,
          .queue = options().queue,
          .metrics_or_null = setup_.metrics ? &setup_.metrics->memory : nullptr};
}

}  // namespace pyhost::supervisor
