// What becomes of changed scripts, and of those that a worker of the group cannot import.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "metrics/group_snapshot.h"
#include "supervisor/group/deploy_verdict.h"
#include "supervisor/group/group_scripts.h"
#include "supervisor/group/import_retries.h"
#include "supervisor/group/kept_workers.h"

namespace pyhost::supervisor {

// Knows what each worker has imported and what it lacks, rolls the group when a script changes,
// says whether a successor takes over without some scripts, has workers kept for these, and has
// imports tried again. What it decides is pure: GroupLife, judge(), Keepers, ImportRetries.
// Single-threaded.
class Deploys {
 public:
  explicit Deploys(const GroupParts& parts) noexcept : parts_(parts), kept_(parts) {}

  KeptWorkers& kept() noexcept { return kept_; }
  const KeptWorkers& kept() const noexcept { return kept_; }

  // --- Renewals ---

  // All workers are renewed; for what, one of the next two says.
  void renewed();
  // For a change of this file.
  void note_file(const std::string& file);
  // For a restart, an operator or a limit.
  void note_other_reason() noexcept { reasons_.others = true; }

  // --- Workers ---

  // One of the reports that are about scripts. Of a keeper, `outdated` alone.
  void heed(LivingWorker& worker, const control::StatusReport& report);
  // A worker of a slot has begun to serve.
  void serves(const LivingWorker& worker);
  // One has ended, or could not be made, before it served; `last_failure` is why.
  void start_failed(const LivingWorker& worker, const std::string& last_failure);
  void no_process(unsigned slot, const std::string& last_failure);
  // One has ended, whom its successor may have waited for.
  void ended(unsigned slot);

  // --- What a worker that is about to start is to have ---

  ScriptKeys required_in(unsigned slot) const { return retries_.required_in(slot); }
  std::optional<StartImports> imports_in(unsigned slot) const;
  // See GroupScripts::met_at().
  std::optional<base::TimePoint> met_at(const std::string& script,
                                        const base::FileIdentity& file) const {
    return scripts_.met_at(script, file);
  }

  // --- Time ---

  // `may_retry`: the group is wanted and not stopped. Has the next import tried again.
  void retry_import(bool may_retry);
  // Does what is due with keepers; `signal` tells a worker to end.
  void advance_keepers(int signal);
  std::optional<base::TimePoint> next_deadline(bool may_retry) const noexcept;

  // Which version of each script is served, by script; without those that nobody has tried.
  std::vector<metrics::ScriptStatus> script_status() const;

 private:
  // Of heed().
  void outdated(LivingWorker& worker, const control::StatusReport& report);
  void imported(LivingWorker& worker, const control::StatusReport& report);
  void lacks(LivingWorker& worker, const control::StatusReport& report);
  void asks(LivingWorker& worker);
  void keeping(LivingWorker& worker);

  bool may_retry_now(bool may_retry) const noexcept;
  ScriptKeys served() const;
  DeployCase case_of(const LivingWorker& worker) const;
  std::vector<std::string> failures_of(const ScriptKeys& scripts) const;
  std::vector<gateway::Script> imports_for(const ScriptKeys& required) const;
  void begin_deploy();
  void end_renewal();
  void fall_back(std::int64_t successor_started_us, const std::string& last_failure);
  bool end_attempt(unsigned slot, const ScriptKeys& required);
  void answer(LivingWorker& worker, bool serves);
  void answer_successor(unsigned slot, bool serves);
  std::optional<metrics::ScriptStatus> status_of(const gateway::Script& script) const;

  const GroupParts parts_;
  KeptWorkers kept_;
  GroupScripts scripts_;
  ImportRetries retries_;
  RenewalReasons reasons_;  // of the renewal that is under way
  std::string changed_;     // the file that the last renewal is for; "" when it is for none
  bool deploys_ = false;    // the renewal is for new code, and nobody knows yet whether that works
};

}  // namespace pyhost::supervisor
