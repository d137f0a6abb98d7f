#include "supervisor/group/deploys.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/worker_orders.h"
#include "scoreboard/board_rows.h"

namespace pyhost::supervisor {
namespace {

using control::StatusReport;
using OrderKind = control::WorkerOrder::Kind;

}  // namespace

void Deploys::heed(LivingWorker& worker, const StatusReport& report) {
  switch (report.kind) {
    case StatusReport::Kind::outdated:
      outdated(worker, report);
      break;
    case StatusReport::Kind::imported:
      imported(worker, report);
      break;
    case StatusReport::Kind::lacks:
      lacks(worker, report);
      break;
    case StatusReport::Kind::import_again:
      // A request for a script that it lacks has come.
      retries_.note_wanted(script_key(report.script), base::Clock::now());
      break;
    case StatusReport::Kind::asks:
      asks(worker);
      break;
    case StatusReport::Kind::keeping:
      keeping(worker);
      break;
    default:
      break;
  }
}

// --- Renewals ---

void Deploys::renewed() {
  changed_.clear();
  retries_.drop();
}

void Deploys::note_file(const std::string& file) {
  ScriptKeys scripts = scripts_.keys_of(file);
  reasons_.others = reasons_.others || scripts.empty();
  reasons_.changed.merge(scripts);
  changed_ = file;
  if (!file.empty()) begin_deploy();
}

void Deploys::outdated(LivingWorker& worker, const StatusReport& report) {
  if (worker.place.slot >= parts_.life.slots()) return;  // a keeper is all that is left of it
  const bool fallback = parts_.setup.options().reload_fallback;
  const std::string& script = report.text;
  parts_.life.roll(worker.place.slot, worker.pid, fallback ? Fallback::on : Fallback::off,
                   scripts_.note_change(script, report.file, worker.started, base::Clock::now()));
  changed_ = script;
  begin_deploy();
  retries_.drop();
  ScriptKeys changed = scripts_.keys_of(script);
  if (changed.empty()) changed.insert(gateway::script_key("", script));
  reasons_.changed.merge(changed);
  parts_.rows.record(worker.place.slot);
  parts_.log.is_to_be_replaced(worker, fmt::format("{} has changed", script));
}

// More of them may come before the workers of the first are there.
void Deploys::begin_deploy() {
  deploys_ = true;
  parts_.counts.reasons().changed();
}

// All workers are those that were wanted.
void Deploys::end_renewal() {
  reasons_ = {};
  if (!std::exchange(deploys_, false)) return;
  bool lacks_any = false;
  parts_.workers.for_each([&](const LivingWorker& worker) { lacks_any |= !worker.lacks.empty(); });
  using scoreboard::DeployResult;
  parts_.counts.deployed(lacks_any ? DeployResult::broken : DeployResult::ok);
}

// --- What workers have ---

void Deploys::imported(LivingWorker& worker, const StatusReport& report) {
  const std::uint64_t script = script_key(report.script);
  scripts_.note_import(report.script);
  worker.lacks.erase(script);
  if (worker.has.size() < GroupScripts::kScriptsMax) worker.has.insert(script);
}

void Deploys::lacks(LivingWorker& worker, const StatusReport& report) {
  const std::uint64_t script = script_key(report.script);
  scripts_.note_failure(report.script, report.text, base::now_us());
  worker.has.erase(script);
  if (worker.lacks.size() < GroupScripts::kScriptsMax) worker.lacks.insert(script);
  if (worker.ready) retries_.note_wanted(script, base::Clock::now());
}

ScriptKeys Deploys::served() const {
  ScriptKeys all = kept_.keepers().scripts();
  for (unsigned slot = 0; slot < parts_.life.slots(); ++slot) {
    if (const LivingWorker* worker = parts_.serving_or_null(slot)) {
      all.insert(worker->has.begin(), worker->has.end());
    }
  }
  return all;
}

std::vector<std::string> Deploys::failures_of(const ScriptKeys& scripts) const {
  std::vector<std::string> reasons;
  for (const std::uint64_t script : scripts) {
    const auto failure = scripts_.failures().find(script);
    if (failure != scripts_.failures().end()) reasons.push_back(failure->second.why);
  }
  return reasons;
}

// --- What follows from a successor that fails ---

void Deploys::start_failed(const LivingWorker& worker, const std::string& last_failure) {
  const unsigned slot = worker.place.slot;
  if (end_attempt(slot, worker.required)) return;
  const SlotLife& life = parts_.life.slot(slot);
  const bool imported_in_vain = parts_.setup.options().reload_fallback && life.serving() &&
                                worker.last_step == control::StartStep::preload;
  if (imported_in_vain || life.may_come_back()) fall_back(worker.started_us, last_failure);
}

void Deploys::no_process(unsigned slot, const std::string& last_failure) {
  if (end_attempt(slot, required_in(slot))) return;
  if (parts_.life.slot(slot).may_come_back()) fall_back(base::now_us(), last_failure);
}

// One slot that fails stops the renewal of all.
void Deploys::fall_back(std::int64_t successor_started_us, const std::string& last_failure) {
  bool any = false;
  for (unsigned slot = 0; slot < worker_count(parts_.setup.options()); ++slot) {
    if (!parts_.life.slot(slot).come_back()) continue;
    parts_.board().keep_generation(scoreboard::row_of(slot), successor_started_us);
    parts_.rows.record(slot);
    any = true;
  }
  kept_.put_back(kept_.keepers().scripts(), successor_started_us);
  if (!any) return;
  reasons_ = {};
  if (std::exchange(deploys_, false)) parts_.counts.deployed(scoreboard::DeployResult::broken);
  parts_.log.goes_on(changed_, last_failure);
}

// Whether a start that has failed was one; nothing has changed then.
bool Deploys::end_attempt(unsigned slot, const ScriptKeys& required) {
  const auto script = retries_.end_in_vain(slot, required);
  if (!script) return false;
  // Nobody will ask in vain for what others have.
  const bool wanted = without(served(), kept_.keepers().scripts()).contains(*script);
  retries_.note_failed_retry(*script, wanted, base::Clock::now());
  parts_.life.slot(slot).come_back(Failed::attempt);
  parts_.rows.record(slot);
  if (parts_.life.up_to_date()) reasons_ = {};
  return true;
}

// --- Whether a successor without some scripts takes over ---

DeployCase Deploys::case_of(const LivingWorker& worker) const {
  DeployCase deploy{.has = worker.has,
                    .lacks = worker.lacks,
                    .required = worker.required,
                    .reasons = reasons_,
                    .predecessor_has = {},
                    .group_has = served()};
  if (const LivingWorker* predecessor = parts_.serving_or_null(worker.place.slot)) {
    deploy.has_predecessor = true;
    deploy.predecessor_has = predecessor->has;
  }
  if (kept_.keepers().free_place(worker.place.slot)) {
    deploy.scripts_kept_max = scoreboard::kListedScriptsMax;
  }
  return deploy;
}

void Deploys::asks(LivingWorker& worker) {
  using Question = LivingWorker::Question;
  if (worker.ready || worker.question != Question::none) return;
  worker.question = Question::open;
  const DeployVerdict verdict = judge(case_of(worker));
  if (!verdict.serves) return answer(worker, false);
  kept_.put_back(worker.lacks, worker.started_us);
  if (verdict.kept.empty()) return answer(worker, true);
  if (!kept_.ask(verdict.kept, worker)) answer(worker, false);
}

void Deploys::answer(LivingWorker& worker, bool serves) {
  worker.question = LivingWorker::Question::answered;
  const auto told =
      control::send_order(worker.status.fd(), serves ? OrderKind::serve : OrderKind::leave);
  if (told) return;
  parts_.log.stuck(told.error().sentence);
  parts_.life.slot(worker.place.slot).failed(worker.pid, base::Clock::now());
}

void Deploys::answer_successor(unsigned slot, bool serves) {
  parts_.workers.for_each([&](LivingWorker& worker) {
    const bool waits = worker.question == LivingWorker::Question::open;
    if (worker.place.slot != slot || !waits) return;
    if (serves && !parts_.life.slot(slot).serving()) parts_.rows.take_over(worker);
    parts_.rows.record(slot);
    answer(worker, serves);
  });
}

// Somebody has these scripts at every moment: the successor begins to serve behind that.
void Deploys::keeping(LivingWorker& worker) {
  const auto reasons = failures_of(kept_.keepers().scripts_of(worker.pid));
  if (kept_.settle(worker, reasons)) answer_successor(worker.place.slot, true);
}

void Deploys::ended(unsigned slot) {
  if (!kept_.keepers().awaits(slot)) answer_successor(slot, true);
}

void Deploys::advance_keepers(int signal) {
  for (const unsigned slot : kept_.advance(signal)) answer_successor(slot, false);
}

void Deploys::serves(const LivingWorker& worker) {
  kept_.keepers().end_needless(worker.place.slot, worker.lacks);
  for (const std::uint64_t script : without(worker.lacks, served())) {
    retries_.note_wanted(script, base::Clock::now());
  }
  if (!worker.required.empty()) {
    retries_.end_well(worker.required);
    for (unsigned slot = 0; slot < parts_.life.slots(); ++slot) {
      const LivingWorker* other = parts_.serving_or_null(slot);
      if (other == nullptr || !have_common(other->lacks, worker.required)) continue;
      parts_.life.slot(slot).outdate(base::Clock::now());
      reasons_.changed.insert(worker.required.begin(), worker.required.end());
      parts_.counts.reasons().note(slot, StartReason::deploy);
      deploys_ = true;
    }
  }
  if (parts_.life.up_to_date()) end_renewal();
}

// --- Imports that are tried again ---

bool Deploys::may_retry_now(bool may_retry) const noexcept {
  return may_retry && !retries_.under_way() && parts_.life.up_to_date();
}

// In one slot of those that lack the script.
void Deploys::retry_import(bool may_retry) {
  if (!may_retry_now(may_retry)) return;
  const auto script = retries_.due(base::Clock::now());
  if (!script) return;
  for (unsigned slot = 0; slot < parts_.life.slots(); ++slot) {
    const LivingWorker* worker = parts_.serving_or_null(slot);
    if (worker == nullptr || !worker->lacks.contains(*script)) continue;
    retries_.begin(slot, *script);
    reasons_.changed.insert(*script);
    parts_.counts.reasons().note(slot, StartReason::deploy);
    parts_.life.slot(slot).outdate(base::Clock::now());
    return;
  }
  retries_.forget(*script);
}

std::optional<base::TimePoint> Deploys::next_deadline(bool may_retry) const noexcept {
  const auto import = may_retry_now(may_retry) ? retries_.next_deadline() : std::nullopt;
  return base::earliest(kept_.keepers().next_deadline(), import);
}

std::optional<StartImports> Deploys::imports_in(unsigned slot) const {
  if (const ScriptKeys required = required_in(slot); !required.empty()) {
    return StartImports{imports_for(required), true};
  }
  const SlotLife& life = parts_.life.slot(slot);
  const bool succeeds_somebody =
      life.serving() || life.succeeds_released() || kept_.keepers().any_in(slot);
  if (!succeeds_somebody) return std::nullopt;
  return StartImports{scripts_.imports(), parts_.setup.options().reload_fallback};
}

std::vector<gateway::Script> Deploys::imports_for(const ScriptKeys& required) const {
  std::vector<gateway::Script> imports = scripts_.imports();
  for (const std::uint64_t script : required) {
    const auto failure = scripts_.failures().find(script);
    if (failure == scripts_.failures().end()) continue;
    if (std::ranges::find(imports, failure->second.script) == imports.end()) {
      imports.push_back(failure->second.script);
    }
  }
  return imports;
}

}  // namespace pyhost::supervisor
