// What becomes of changed scripts, and of those that a worker of the group cannot import.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>

#include <algorithm>

#include "base/clock.h"
#include "control/worker_orders.h"
#include "scoreboard/board_rows.h"
#include "scoreboard/scoreboard_memory.h"
#include "supervisor/group/worker_group.h"

namespace pyhost::supervisor {
namespace {

using base::LogLevel;
using base::Message;
using OrderKind = control::WorkerOrder::Kind;

// What a worker reports last before it imports; see the worker's own code.
constexpr std::string_view kImportStep = "preload";

}  // namespace

const WorkerGroup::Worker* WorkerGroup::serving_or_null(unsigned slot) const {
  const auto pid = life_.slot(slot).serving();
  return pid ? &workers_.at(*pid) : nullptr;
}

unsigned WorkerGroup::row_of_worker(pid_t pid, const Worker& worker) const noexcept {
  const Keepers::Keeper* keeper = keepers_.find_or_null(pid);
  return keeper != nullptr ? scoreboard::keeper_row(keeper->slot, keeper->place)
                           : scoreboard::row_of(worker.slot);
}

// --- What workers have ---

void WorkerGroup::note_import(Worker& worker, const control::StatusReport& report) {
  const std::uint64_t script = script_key(report.import);
  scripts_.note_import(report.import);
  worker.lacks.erase(script);
  if (worker.has.size() < GroupScripts::kScriptsMax) worker.has.insert(script);
}

void WorkerGroup::note_lack(Worker& worker, const control::StatusReport& report) {
  const std::uint64_t script = script_key(report.import);
  scripts_.note_failure(report.import, report.text, base::now_us());
  worker.has.erase(script);
  if (worker.lacks.size() < GroupScripts::kScriptsMax) worker.lacks.insert(script);
  if (worker.ready) retries_.note_wanted(script, base::Clock::now());
}

ScriptKeys WorkerGroup::scripts_served() const {
  ScriptKeys all = keepers_.scripts();
  for (unsigned slot = 0; slot < life_.slots(); ++slot) {
    if (const Worker* worker = serving_or_null(slot)) {
      all.insert(worker->has.begin(), worker->has.end());
    }
  }
  return all;
}

void WorkerGroup::note_renewal_for(const std::string& file) {
  ScriptKeys scripts = scripts_.keys_of(file);
  reasons_.others = reasons_.others || scripts.empty();
  reasons_.changed.merge(scripts);
}

// --- What follows from a change, and from a successor that fails ---

void WorkerGroup::roll(pid_t pid, const Worker& worker, const control::StatusReport& report) {
  const bool fallback = setup_.wanted.options.reload_fallback;
  const std::string& script = report.text;
  life_.roll(worker.slot, pid, fallback ? Fallback::on : Fallback::off,
             scripts_.note_change(script, report.file, worker.started, base::Clock::now()));
  changed_ = script;
  attempt_.reset();
  ScriptKeys changed = scripts_.keys_of(script);
  if (changed.empty()) changed.insert(gateway::script_key("", script));
  reasons_.changed.merge(changed);
  record_slot(worker.slot);
  setup_.log->log(LogLevel::info, Message::generation_relieved,
                  fmt::format("{} is to be replaced: {} has changed",
                              label(worker.slot, worker.generation, pid), script));
}

// A worker that was to take over has ended before it was ready.
void WorkerGroup::fall_back_after(const Worker& worker) {
  if (end_attempt(worker.slot, worker.required)) return;
  const SlotLife& life = life_.slot(worker.slot);
  const bool imported_in_vain =
      setup_.wanted.options.reload_fallback && life.serving() && worker.last_step == kImportStep;
  if (imported_in_vain || life.may_come_back()) fall_back(worker.started_us);
}

// One slot that fails stops the renewal of all.
void WorkerGroup::fall_back(std::int64_t successor_started_us) {
  bool any = false;
  for (unsigned slot = 0; slot < worker_count(setup_.wanted.options); ++slot) {
    if (!life_.slot(slot).come_back()) continue;
    workers_.at(*life_.slot(slot).serving()).kept = true;
    setup_.scoreboard->keep_generation(scoreboard::row_of(slot), successor_started_us);
    record_slot(slot);
    any = true;
  }
  put_keepers_back(keepers_.scripts(), successor_started_us);
  if (!any) return;
  reasons_ = {};
  // What keeps the successors from starting may be another script than the one that was changed.
  const std::string waits =
      changed_.empty() ? "" : fmt::format(", and the change of {} waits", changed_);
  setup_.log->log(LogLevel::error, Message::generation_kept,
                  fmt::format("process group '{}' goes on with the code it has{}: {}; it is tried "
                              "again when a script changes or httpd is restarted",
                              name(), waits, last_failure_));
}

// --- Whether a successor without some scripts takes over ---

DeployCase WorkerGroup::case_of(const Worker& worker) const {
  DeployCase deploy{.has = worker.has,
                    .lacks = worker.lacks,
                    .required = worker.required,
                    .reasons = reasons_,
                    .predecessor_has = {},
                    .group_has = scripts_served()};
  if (const Worker* predecessor = serving_or_null(worker.slot)) {
    deploy.has_predecessor = true;
    deploy.predecessor_has = predecessor->has;
  }
  if (keepers_.free_place(worker.slot)) deploy.scripts_kept_max = scoreboard::kListedScriptsMax;
  return deploy;
}

void WorkerGroup::decide(pid_t pid, Worker& worker) {
  if (worker.ready || worker.question != Worker::Question::none) return;
  worker.question = Worker::Question::open;
  const DeployVerdict verdict = judge(case_of(worker));
  if (!verdict.serves) return answer(pid, worker, false);
  put_keepers_back(worker.lacks, worker.started_us);
  if (verdict.kept.empty()) return answer(pid, worker, true);
  if (!ask_to_keep(verdict.kept, worker)) answer(pid, worker, false);
}

void WorkerGroup::answer(pid_t pid, Worker& worker, bool serves) {
  worker.question = Worker::Question::answered;
  const auto told =
      control::send_order(worker.status.fd(), serves ? OrderKind::serve : OrderKind::leave);
  if (told) return;
  setup_.log->log(LogLevel::error, Message::supervisor_stuck, told.error().sentence);
  life_.slot(worker.slot).failed(pid, base::Clock::now());
}

void WorkerGroup::answer_successor(unsigned slot, bool serves) {
  for (auto& [pid, worker] : workers_) {
    if (worker.slot != slot || worker.question != Worker::Question::open) continue;
    if (serves && !life_.slot(slot).serving()) take_slot_over(pid, worker);
    record_slot(slot);
    answer(pid, worker, serves);
  }
}

// --- The workers that are kept ---

// The one in whose place `successor` is about to come. It answers with "keeping".
bool WorkerGroup::ask_to_keep(const ScriptKeys& scripts, const Worker& successor) {
  const unsigned slot = successor.slot;
  const pid_t pid = *life_.slot(slot).serving();
  Worker& worker = workers_.at(pid);
  const unsigned place = *keepers_.free_place(slot);
  const unsigned row = scoreboard::keeper_row(slot, place);
  auto socket =
      sockets_[slot].open_beside(launch::socket_path(socket_prefix_, index(), row), options());
  if (!socket) {
    setup_.log->log(LogLevel::error, Message::supervisor_stuck, socket.error().sentence);
    return false;
  }
  scoreboard::Scoreboard& board = *setup_.scoreboard;
  board.begin_generation(row, pid, worker.generation, worker.threads, 0);
  board.keep_generation(row, successor.started_us);
  const std::string text =
      to_json(control::KeepOrder{.slot = row, .scripts = {scripts.begin(), scripts.end()}});
  const auto told = control::send_order(worker.status.fd(), OrderKind::keep, text, socket->fd());
  if (!told) {
    board.set_state(row, SlotState::empty);
    setup_.log->log(LogLevel::error, Message::supervisor_stuck, told.error().sentence);
    return false;
  }
  worker.kept_socket = *std::move(socket);
  keepers_.ask(pid,
               {.slot = slot,
                .place = place,
                .generation = worker.generation,
                .scripts = scripts,
                .drain_max = worker.limits.drain_max},
               base::Clock::now());
  return true;
}

// Nobody could take its place, so it goes on over its limits.
void WorkerGroup::heed_keeper(pid_t pid, Worker& worker, const control::StatusReport& report) {
  switch (report.kind) {
    case control::StatusReport::Kind::draining:
      keepers_.draining(pid, base::Clock::now());
      worker.leaving = report.text;
      setup_.scoreboard->set_state(row_of_worker(pid, worker), SlotState::draining);
      break;
    case control::StatusReport::Kind::outdated:
      if (worker.slot < life_.slots()) roll(pid, worker, report);
      break;
    case control::StatusReport::Kind::alive:
      vigils_.heard(pid);
      break;
    default:
      break;
  }
}

// Somebody has these scripts at every moment: the successor begins to serve behind that.
void WorkerGroup::note_keeping(pid_t pid) {
  if (!keepers_.settle(pid)) return;
  Worker& worker = workers_.at(pid);
  const unsigned row = row_of_worker(pid, worker);
  if (life_.slot(worker.slot).detach(pid)) {
    worker.kept = false;
    setup_.scoreboard->set_state(row, SlotState::ready);
    std::vector<std::string> reasons;
    for (const std::uint64_t script : keepers_.find_or_null(pid)->scripts) {
      const auto failure = scripts_.failures().find(script);
      if (failure != scripts_.failures().end()) reasons.push_back(failure->second.why);
    }
    setup_.log->log(
        LogLevel::error, Message::scripts_kept,
        fmt::format("{} is kept for what its successor could not import: {}; all else "
                    "of process group '{}' is new",
                    label(worker.slot, worker.generation, pid), fmt::join(reasons, "; "), name()));
  } else {
    // It was told to end meanwhile.
    keepers_.ended(pid);
    setup_.scoreboard->set_state(row, SlotState::empty);
  }
  answer_successor(worker.slot, true);
}

// What has changed up to then, they go on without.
void WorkerGroup::put_keepers_back(const ScriptKeys& scripts, std::int64_t successor_started_us) {
  keepers_.for_each([&](pid_t, const Keepers::Keeper& keeper) {
    if (!have_common(keeper.scripts, scripts)) return;
    const unsigned row = scoreboard::keeper_row(keeper.slot, keeper.place);
    setup_.scoreboard->keep_generation(row, successor_started_us);
    setup_.scoreboard->set_state(row, SlotState::ready);
  });
}

// Behind a restart: those of slots that are not wanted any more, and what a supervisor that was
// killed has left on the scoreboard.
void WorkerGroup::adopt_keepers() {
  const unsigned slots = worker_count(options());
  keepers_.for_each([&](pid_t pid, const Keepers::Keeper& keeper) {
    if (keeper.slot >= slots || !options().reload_fallback) keepers_.end(pid);
  });
  for (unsigned slot = 0; slot < slots; ++slot) {
    for (unsigned place = 0; place < scoreboard::kKeepersOfSlot; ++place) {
      if (keepers_.takes(slot, place)) continue;
      setup_.scoreboard->set_state(scoreboard::keeper_row(slot, place), SlotState::empty);
    }
  }
}

void WorkerGroup::advance_keepers() {
  const Keepers::Step step = keepers_.step(base::Clock::now());
  for (const Order& order : step.orders) {
    const bool terminates = order.kind == Order::Kind::terminate;
    if (terminates) {
      setup_.scoreboard->set_state(row_of_worker(order.pid, workers_.at(order.pid)),
                                   SlotState::draining);
    }
    kill(order.pid, !terminates ? SIGKILL : hurried_ ? SIGUSR2 : SIGTERM);
  }
  for (const pid_t pid : step.disobedient) {
    Worker& worker = workers_.at(pid);
    worker.kept_socket.reset();
    setup_.log->log(
        LogLevel::error, Message::supervisor_stuck,
        fmt::format("{} does not obey its orders", label(worker.slot, worker.generation, pid)));
    answer_successor(worker.slot, false);
  }
}

// The worker has begun to serve.
void WorkerGroup::settle_scripts_of(const Worker& worker) {
  keepers_.end_needless(worker.slot, worker.lacks);
  for (const std::uint64_t script : without(worker.lacks, scripts_served())) {
    retries_.note_wanted(script, base::Clock::now());
  }
  if (!worker.required.empty()) {
    attempt_.reset();
    for (const std::uint64_t script : worker.required) retries_.forget(script);
    for (unsigned slot = 0; slot < life_.slots(); ++slot) {
      const Worker* other = serving_or_null(slot);
      if (other == nullptr || !have_common(other->lacks, worker.required)) continue;
      life_.slot(slot).outdate(base::Clock::now());
      reasons_.changed.insert(worker.required.begin(), worker.required.end());
    }
  }
  if (life_.up_to_date()) reasons_ = {};
}

// --- Imports that are tried again ---

bool WorkerGroup::may_import_again() const noexcept {
  return wanted_ && !stopped_ && !attempt_ && life_.up_to_date();
}

// In one slot of those that lack the script.
void WorkerGroup::import_again() {
  if (!may_import_again()) return;
  const auto script = retries_.due(base::Clock::now());
  if (!script) return;
  for (unsigned slot = 0; slot < life_.slots(); ++slot) {
    const Worker* worker = serving_or_null(slot);
    if (worker == nullptr || !worker->lacks.contains(*script)) continue;
    attempt_ = {slot, *script};
    reasons_.changed.insert(*script);
    life_.slot(slot).outdate(base::Clock::now());
    return;
  }
  retries_.forget(*script);
}

ScriptKeys WorkerGroup::required_in(unsigned slot) const {
  return attempt_ && attempt_->slot == slot ? ScriptKeys{attempt_->script} : ScriptKeys();
}

std::vector<control::Preload> WorkerGroup::imports_for(const ScriptKeys& required) const {
  std::vector<control::Preload> imports = scripts_.imports();
  for (const std::uint64_t script : required) {
    const auto failure = scripts_.failures().find(script);
    if (failure == scripts_.failures().end()) continue;
    if (std::ranges::find(imports, failure->second.script) == imports.end()) {
      imports.push_back(failure->second.script);
    }
  }
  return imports;
}

// Whether a start that has failed was one; nothing has changed then.
bool WorkerGroup::end_attempt(unsigned slot, const ScriptKeys& required) {
  if (!attempt_ || attempt_->slot != slot || !required.contains(attempt_->script)) return false;
  const std::uint64_t script = attempt_->script;
  attempt_.reset();
  // Nobody will ask in vain for what others have.
  const bool wanted = without(scripts_served(), keepers_.scripts()).contains(script);
  retries_.note_failed_retry(script, wanted, base::Clock::now());
  life_.slot(slot).come_back(Failed::attempt);
  record_slot(slot);
  if (life_.up_to_date()) reasons_ = {};
  return true;
}

}  // namespace pyhost::supervisor
