#include "supervisor/group/worker_group.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/clock.h"
#include "base/json_text.h"
#include "control/control_channel.h"
#include "control/worker_orders.h"
#include "control/worker_settings.h"
#include "scoreboard/board_rows.h"

namespace pyhost::supervisor {
namespace {

using base::LogLevel;
using base::Message;
using scoreboard::Death;

// The group's settings and the worker's own place.
nlohmann::json settings_for(const GroupSetup& setup, unsigned slot, unsigned generation,
                            unsigned report) {
  auto settings = nlohmann::json::parse(setup.wanted.worker_settings, nullptr, false);
  if (const launch::StartInputs& inputs = setup.inputs; !inputs.plugin.empty()) {
    settings["plugin"] = base::json_text_of(inputs.plugin);
    settings["python_program"] = base::json_text_of(inputs.python_program);
    settings["python_home"] = base::json_text_of(inputs.python_home);
  }
  settings["slot_index"] = slot;
  settings["row_index"] = scoreboard::row_of(slot);
  settings["generation"] = generation;
  settings["report_index"] = report;
  return settings;
}

// A successor does what the worker that serves has done, before it takes over.
void add_imports(nlohmann::json& settings, const std::vector<control::Preload>& imports,
                 bool required) {
  auto list = nlohmann::json::array();
  for (const control::Preload& import : imports) {
    list.push_back({base::json_text_of(import.application_group), base::json_text_of(import.script),
                    base::json_text_of(import.callable)});
  }
  settings["predecessor_imports"] = std::move(list);
  settings["imports_required"] = required;
}

}  // namespace

LifeLimits life_limits(const settings::ProcessGroup& group) noexcept {
  // The worker keeps its own budgets; the supervisor's only catch one that does not.
  constexpr base::Milliseconds kMargin{1'000};
  const control::WorkerLimits limits = control::limits_of(group);
  return {.startup_max = limits.startup_timeout,
          .drain_max = std::max(limits.graceful_timeout, limits.eviction_timeout) +
                       limits.shutdown_timeout + kMargin};
}

WorkerGroup::WorkerGroup(os::EventLoop& loop, OomCounter& oom, std::string socket_prefix)
    : loop_(loop),
      oom_(oom),
      socket_prefix_(std::move(socket_prefix)),
      life_(0, {}),
      vigils_(loop, [this](pid_t pid, Vigils::Finding finding) { heed(pid, finding); }) {}

WorkerGroup::~WorkerGroup() {
  for (const auto& [pid, worker] : workers_) {
    loop_.forget(worker.pidfd.get());
    loop_.forget(worker.status.fd());
  }
}

void WorkerGroup::adopt(GroupSetup setup) {
  // What they have imported is to be known before their successors start.
  for (const auto& [pid, worker] : workers_) read_status(pid);
  const bool keeps_workers = this->keeps_workers(setup);
  setup_ = std::move(setup);
  wanted_ = true;
  const settings::ProcessGroup& options = setup_.wanted.options;
  for (const launch::ListeningSocket& socket : sockets_) socket.adjust(options);
  std::ranges::move(setup_.sockets, std::back_inserter(sockets_));
  setup_.sockets.clear();
  look_for_children_at_.reset();
  scoreboard::Scoreboard& board = *setup_.scoreboard;
  // Only the scoreboard knows what a supervisor was told that has crashed.
  stopped_ = stopped_ || board.is_stopped();
  if (stopped_) board.stop_group();
  if (!keeps_workers) {
    renew();
    reasons_.others = true;
  }
  hand_log_over();
  for (unsigned slot = 0; slot < worker_count(options); ++slot) {
    life_.slot(slot).begin_behind(board.status(scoreboard::row_of(slot)).generation);
    record_slot(slot);
  }
  adopt_keepers();
}

bool WorkerGroup::keeps_workers(const GroupSetup& setup) const {
  return setup.wanted.options.reload == settings::Reload::off && runs_as(setup.wanted) &&
         setup.plan == setup_.plan && setup.inputs == setup_.inputs;
}

bool WorkerGroup::runs_as(const control::WantedGroup& wanted) const {
  control::WantedGroup as_before = wanted;
  // Places in a list.
  as_before.log = setup_.wanted.log;
  as_before.board = setup_.wanted.board;
  as_before.reports = setup_.wanted.reports;
  return wanted_ && !life_.gone() && as_before == setup_.wanted;
}

bool WorkerGroup::starts_as(const settings::ProcessGroup& options,
                            const launch::WorkerPlan& plan) const {
  launch::WorkerPlan own = setup_.plan;
  own.environment.clear();
  return wanted_ && !life_.gone() && options == setup_.wanted.options && plan == own;
}

// To those of before, however long they stay.
void WorkerGroup::hand_log_over() {
  for (const auto& [pid, worker] : workers_) {
    const auto sent = control::send_order(worker.status.fd(), control::WorkerOrder::Kind::log, "",
                                          setup_.log->fd());
    if (!sent) setup_.log->log(LogLevel::info, Message::log_not_taken, sent.error().sentence);
  }
}

void WorkerGroup::renew() {
  const settings::ProcessGroup& options = setup_.wanted.options;
  life_.renew(worker_count(options), life_limits(options));
  changed_.clear();
  attempt_.reset();
  if (stopped_) life_.stop();
}

void WorkerGroup::retire() noexcept {
  wanted_ = false;
  look_for_children_at_.reset();
  life_.remove();
  keepers_.end_all();
}

void WorkerGroup::dismiss() noexcept {
  setup_.scoreboard->start_group();
  wanted_ = false;
  look_for_children_at_ = base::Clock::now();
}

void WorkerGroup::mend_sockets() {
  const settings::ProcessGroup& options = setup_.wanted.options;
  std::string problem;
  for (unsigned slot = 0; slot < std::min<std::size_t>(sockets_.size(), worker_count(options));
       ++slot) {
    if (sockets_[slot].in_place()) continue;
    auto made = sockets_[slot].remake(options);
    if (!made) {
      problem = std::move(made).error().sentence;
      continue;
    }
    replaced_sockets_.push_back(std::exchange(sockets_[slot], *std::move(made)));
    setup_.log->log(LogLevel::warn, Message::socket_remade,
                    fmt::format("process group '{}': {} was gone and has been made again", name(),
                                sockets_[slot].path()));
    if (!stopped_) life_.slot(slot).renew(life_limits(options));
    reasons_.others = true;
  }
  if (problem == socket_problem_) return;
  socket_problem_ = problem;
  if (problem.empty()) return;
  setup_.log->log(LogLevel::error, Message::supervisor_stuck,
                  fmt::format("process group '{}': {}", name(), problem));
}

void WorkerGroup::reload(std::string changed) {
  mend_sockets();
  // What they have imported is to be known before their successors start.
  for (const auto& [pid, worker] : workers_) read_status(pid);
  renew();
  note_renewal_for(changed);
  changed_ = std::move(changed);
}

void WorkerGroup::stop() {
  stopped_ = true;
  setup_.scoreboard->stop_group();
  life_.stop();
  keepers_.end_all();
}

void WorkerGroup::start() {
  mend_sockets();
  stopped_ = false;
  setup_.scoreboard->start_group();
  renew();
  reasons_.others = true;
}

void WorkerGroup::hurry() {
  if (std::exchange(hurried_, true)) return;
  retire();
  for (const auto& [pid, worker] : workers_) kill(pid, SIGUSR2);
}

void WorkerGroup::advance() {
  constexpr base::Milliseconds kBetweenLooks{200};
  if (look_for_children_at_ && base::Clock::now() >= *look_for_children_at_) {
    look_for_children_at_ = base::Clock::now() + kBetweenLooks;
    if (stopped_ || !setup_.scoreboard->has_children()) retire();
  }
  import_again();
  // Where one worker is kept for what its successor lacks, others are to be asked to stay as well.
  const Releases releases = keepers_.empty() ? Releases::allowed : Releases::denied;
  for (const SlotOrder& each : life_.step(base::Clock::now(), releases)) {
    carry_out(each.slot, each.order);
  }
  advance_keepers();
  while (sockets_.size() > life_.slots()) sockets_.pop_back();
  if (life_.up_to_date() && workers_.size() <= life_.slots()) replaced_sockets_.clear();
}

std::optional<base::TimePoint> WorkerGroup::next_deadline() const noexcept {
  std::optional<base::TimePoint> next = look_for_children_at_;
  const auto import = may_import_again() ? retries_.next_deadline() : std::nullopt;
  for (const auto& deadline : {life_.next_deadline(), keepers_.next_deadline(), import}) {
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  return next;
}

void WorkerGroup::carry_out(unsigned slot, const Order& order) {
  switch (order.kind) {
    case Order::Kind::spawn:
      spawn(slot, order.generation);
      break;
    case Order::Kind::terminate:
      kill(order.pid, hurried_ ? SIGUSR2 : SIGTERM);
      record_slot(slot);
      break;
    case Order::Kind::kill:
      kill(order.pid, SIGKILL);
      break;
  }
}

void WorkerGroup::spawn(unsigned slot, unsigned generation) {
  const unsigned report = free_report(slot);
  auto process = start(slot, generation, report);
  SlotLife& life = life_.slot(slot);
  if (!process) {
    const base::Milliseconds pause = life.back_off();
    life.spawn_failed(base::Clock::now());
    note_failure(process.error().sentence);
    setup_.log->log(
        LogLevel::error, Message::generation_failed,
        fmt::format("{}; next try in {} s", process.error().sentence, pause.count() / 1000));
    if (attempt_ && attempt_->slot == slot) {
      end_attempt(slot, required_in(slot));
    } else if (life.may_come_back()) {
      fall_back(base::now_us());
    }
    return;
  }
  life.spawned(process->pid, base::Clock::now());
  keep(slot, generation, report, *std::move(process));
}

// Not that of the worker that serves.
unsigned WorkerGroup::free_report(unsigned slot) const {
  const auto serving = life_.slot(slot).serving();
  return serving ? 1 - workers_.at(*serving).report : 0;
}

base::Result<launch::WorkerProcess> WorkerGroup::start(unsigned slot, unsigned generation,
                                                       unsigned report) {
  auto json = settings_for(setup_, slot, generation, report);
  const SlotLife& life = life_.slot(slot);
  if (const ScriptKeys required = required_in(slot); !required.empty()) {
    add_imports(json, imports_for(required), true);
  } else if (life.serving() || life.succeeds_released() || keepers_.any_in(slot)) {
    add_imports(json, scripts_.imports(), setup_.wanted.options.reload_fallback);
  }
  const auto text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  PH_TRY(settings, control::make_memory_file("pyhost-settings", text));
  return launch::start_worker(setup_.plan, {.log = setup_.log->fd(),
                                            .listen = sockets_[slot].fd(),
                                            .settings = settings.get(),
                                            .board = setup_.for_workers.board.get(),
                                            .reports = setup_.for_workers.reports.get()});
}

void WorkerGroup::keep(unsigned slot, unsigned generation, unsigned report,
                       launch::WorkerProcess process) {
  const pid_t pid = process.pid;
  const bool first = !life_.slot(slot).serving();
  Worker& worker =
      workers_
          .emplace(pid, Worker{.slot = slot,
                               .generation = generation,
                               .report = report,
                               .threads = setup_.wanted.options.threads,
                               .pidfd = std::move(process.pidfd),
                               .status = control::StatusReader(std::move(process.status)),
                               .limits = life_limits(setup_.wanted.options),
                               .required = required_in(slot),
                               .started = base::Clock::now(),
                               .started_us = base::now_us()})
          .first->second;
  if (first) take_slot_over(pid, worker);
  record_slot(slot);
  const auto watched = loop_.watch(worker.pidfd.get(), [this, pid] { reap(pid); });
  const auto heard = loop_.watch(worker.status.fd(), [this, pid] { read_status(pid); });
  if (!watched || !heard) {
    setup_.log->log(LogLevel::crit, Message::supervisor_stuck,
                    watched ? heard.error().sentence : watched.error().sentence);
  }
  setup_.log->log(LogLevel::info, Message::generation_started,
                  fmt::format("{} started", label(slot, generation, pid)));
}

void WorkerGroup::read_status(pid_t pid) {
  Worker& worker = workers_.at(pid);
  for (const control::StatusReport& report : worker.status.read()) heed(pid, worker, report);
  if (worker.status.at_end()) loop_.forget(worker.status.fd());
}

void WorkerGroup::heed(pid_t pid, Worker& worker, const control::StatusReport& report) {
  if (keepers_.find_or_null(pid) != nullptr) return heed_keeper(pid, worker, report);
  SlotLife& life = life_.slot(worker.slot);
  switch (report.kind) {
    case control::StatusReport::Kind::step:
      worker.last_step = report.text;
      break;
    case control::StatusReport::Kind::failed:
      worker.failure = report.text;
      life.failed(pid, base::Clock::now());
      break;
    case control::StatusReport::Kind::relieve:
      life.relieve(pid);
      reasons_.others = true;
      setup_.log->log(LogLevel::info, Message::generation_relieved,
                      fmt::format("{} is to be replaced: {}",
                                  label(worker.slot, worker.generation, pid), report.text));
      break;
    case control::StatusReport::Kind::draining:
      life.draining(pid, base::Clock::now());
      worker.leaving = report.text;
      record_slot(worker.slot);
      break;
    case control::StatusReport::Kind::alive:
      vigils_.heard(pid);
      break;
    case control::StatusReport::Kind::outdated:
      roll(pid, worker, report);
      break;
    case control::StatusReport::Kind::imported:
      note_import(worker, report);
      break;
    case control::StatusReport::Kind::lacks:
      note_lack(worker, report);
      break;
    case control::StatusReport::Kind::import_again:
      retries_.note_wanted(script_key(report.import), base::Clock::now());
      break;
    case control::StatusReport::Kind::asks:
      decide(pid, worker);
      break;
    case control::StatusReport::Kind::keeping:
      note_keeping(pid);
      break;
    case control::StatusReport::Kind::ready:
      begin_serving(pid, worker);
      break;
  }
}

void WorkerGroup::begin_serving(pid_t pid, Worker& worker) {
  if (worker.ready) return;
  worker.ready = true;
  failing_ = false;
  life_.slot(worker.slot).ready(pid, base::Clock::now());
  take_slot_over(pid, worker);
  record_slot(worker.slot);
  setup_.log->log(LogLevel::info, Message::generation_ready,
                  fmt::format("{} is ready", label(worker.slot, worker.generation, pid)));
  settle_scripts_of(worker);
}

void WorkerGroup::note_failure(std::string why) {
  ++failed_starts_;
  failing_ = true;
  last_failure_ = std::move(why);
}

void WorkerGroup::reap(pid_t pid) {
  // What it said last is part of why it ended.
  read_status(pid);
  const auto found = workers_.find(pid);
  Worker& worker = found->second;
  siginfo_t info{};
  if (waitid(P_PIDFD, worker.pidfd.get(), &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) {
    return;
  }
  loop_.forget(worker.pidfd.get());
  loop_.forget(worker.status.fd());
  const unsigned slot = worker.slot;
  const unsigned row = row_of_worker(pid, worker);
  const auto as_keeper = keepers_.ended(pid);
  const LastState last = as_keeper ? *as_keeper : life_.slot(slot).ended(pid, base::Clock::now());
  Death death =
      with_reason(death_of(info, last.killed, worker.limits, oom_.has_grown()), worker.leaving);
  death.generation = worker.generation;
  death.pid = pid;
  death.time_us = base::now_us();
  // Requests that it got when its slot stood for it look there.
  if (as_keeper) setup_.scoreboard->record_death(row, death);
  setup_.scoreboard->record_death(scoreboard::row_of(slot), death);
  report_end(pid, worker, last, death);
  if (last.state == SlotState::starting) fall_back_after(worker);
  vigils_.forget(pid);
  workers_.erase(found);
  // Whom its successor was waiting for.
  if (!keepers_.awaits(slot)) answer_successor(slot, true);
  record_slot(slot);
}

void WorkerGroup::report_failed_start(pid_t pid, const Worker& worker, const Death& death) {
  const std::string step =
      worker.last_step.empty() ? "" : fmt::format(" at the step '{}'", worker.last_step);
  const std::string why =
      worker.failure.empty() ? fmt::format("it {}{}", describe(death), step) : worker.failure;
  // That an import fails once more is nothing new.
  const bool tries_again = !worker.required.empty();
  setup_.log->log(
      tries_again ? LogLevel::info : LogLevel::error, Message::generation_failed,
      fmt::format("{} could not start: {}", label(worker.slot, worker.generation, pid), why));
  if (!tries_again) note_failure(why);
}

void WorkerGroup::report_end(pid_t pid, const Worker& worker, const LastState& last,
                             const Death& death) {
  const std::string who = label(worker.slot, worker.generation, pid);
  if (last.state == SlotState::starting) {
    report_failed_start(pid, worker, death);
  } else if (is_limit(death.cause)) {
    setup_.log->log(LogLevel::error, Message::generation_ended,
                    fmt::format("{} {}", who, describe(death)));
  } else if (last.killed == KillReason::drain_timeout) {
    setup_.log->log(LogLevel::error, Message::generation_killed,
                    fmt::format("{} {}", who, describe(death)));
  } else if (last.state == SlotState::draining || is_orderly(death)) {
    setup_.log->log(LogLevel::info, Message::generation_ended,
                    fmt::format("{} {}", who, describe(death)));
  } else {
    setup_.log->log(LogLevel::error, Message::generation_died,
                    fmt::format("{} {}", who, describe(death)));
  }
}

void WorkerGroup::take_slot_over(pid_t pid, Worker& worker) noexcept {
  if (worker.recorded) return;
  worker.recorded = true;
  setup_.scoreboard->begin_generation(scoreboard::row_of(worker.slot), pid, worker.generation,
                                      setup_.wanted.options.threads, worker.report);
}

void WorkerGroup::record_slot(unsigned slot) noexcept {
  if (slot >= life_.slots()) return;  // only a keeper of it was left
  setup_.scoreboard->set_state(scoreboard::row_of(slot), life_.slot(slot).state());
}

std::string WorkerGroup::label(unsigned slot, unsigned generation, pid_t pid) const {
  return fmt::format("worker of group {}, slot {}, generation {}, pid {},", name(), slot,
                     generation, pid);
}

}  // namespace pyhost::supervisor
