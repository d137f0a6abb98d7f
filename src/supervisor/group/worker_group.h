// A process group with its sockets and its living workers.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "control/work_answer.h"
#include "metrics/group_figures.h"
#include "metrics/group_snapshot.h"
#include "os/event_loop.h"
#include "supervisor/group/cause_of_death.h"
#include "supervisor/group/deploys.h"
#include "supervisor/group/silence_watch.h"
#include "supervisor/group/start_failures.h"

namespace pyhost::supervisor {

// Why a group is to go.
enum class Why {
  not_configured,     // any more: it ends as soon as no child of httpd may still send it requests
  supervisor_leaves,  // it ends now
  httpd_has_ended,    // the same, and running requests get no more than shutdown-timeout
};

// Single-threaded, in the thread of the loop, which outlives it.
class WorkerGroup {
 public:
  WorkerGroup(os::EventLoop& loop, OomCounter& oom, std::string socket_prefix);
  WorkerGroup(const WorkerGroup&) = delete;
  WorkerGroup& operator=(const WorkerGroup&) = delete;

  // --- What is wanted ---

  // The group is wanted, with this setup; its workers are renewed, unless they are to go on over a
  // restart and nothing has changed for them.
  void adopt(GroupSetup setup);
  // The group is not wanted any more. Should it come back, then not stopped.
  void remove(Why why);
  // What operators ask for. A reload renews the workers as a restart of httpd does; `changed` is
  // the file that it is for. A group that is stopped stays so over restarts of httpd, and
  // PRECONDITION: is not reloaded.
  void reload(const std::string& changed = {});
  void stop();
  void start();
  // What its applications measure begins anew. False when it is not kept.
  bool reset_metrics() noexcept;

  // --- The loop ---

  // Does what is due.
  void advance();
  std::optional<base::TimePoint> next_deadline() const noexcept;
  // Makes sockets anew whose files are gone, and renews the workers that listen at them.
  void mend_sockets();
  // To be called every Vigil::kBetweenLooks, or less often while nothing is to be seen: workers
  // that do not serve any more are replaced. Whether there was anything to be seen.
  bool look_after_workers();

  // --- How it is ---

  bool stopped() const noexcept { return stopped_; }
  bool wanted() const noexcept { return wanted_; }
  // Whether each slot is served by a worker that is not to be replaced.
  bool up_to_date() const noexcept { return life_.up_to_date(); }
  // Whether everything that serves from now on, or will, was started then or later.
  bool renewed_since(base::TimePoint moment) const noexcept { return life_.renewed_since(moment); }
  // The same for a script: since a worker has met this version of it. Whoever looks at files hears
  // of a change later than the worker that a request has asked for it.
  bool has_rolled_for(const std::string& script, const base::FileIdentity& file) const {
    const auto met_at = deploys_.met_at(script, file);
    return met_at && renewed_since(*met_at);
  }
  bool empty() const noexcept { return life_.empty() && keepers().empty(); }
  bool gone() const noexcept { return life_.gone() && keepers().empty(); }
  // Whether any worker takes requests.
  bool serves() const noexcept { return life_.serves(); }
  const StartFailures& failures() const noexcept { return failures_; }
  metrics::GroupSnapshot snapshot() const;
  // For each worker, keepers too: who it is, and the socket that orders go to.
  void for_each_worker(const std::function<void(const control::WorkerWork&, int)>& visit);
  metrics::MeasuredGroup measured() const;

  // --- What it is made of ---

  // Whether it runs, as it is wanted here.
  bool runs_as(const control::WantedGroup& wanted) const { return runs() && setup_.is_for(wanted); }
  // Whether it runs, and would start its workers as they are to be started here.
  bool starts_as(const settings::ProcessGroup& options, const launch::WorkerPlan& plan) const {
    return runs() && setup_.starts_as(options, plan);
  }
  const launch::StartInputs& inputs() const noexcept { return setup_.inputs; }
  const launch::Credentials& credentials() const noexcept { return setup_.plan.credentials; }
  const settings::ProcessGroup& options() const noexcept { return setup_.options(); }
  base::Milliseconds drain_max() const noexcept { return life_limits(options()).drain_max; }
  // What of an earlier configuration stays in use when the same group comes again.
  const std::string& socket_prefix() const noexcept { return sockets_.prefix(); }
  unsigned index() const noexcept { return setup_.wanted.index; }
  const std::string& name() const noexcept { return options().name; }
  unsigned socket_count() const noexcept { return sockets_.size(); }

 private:
  GroupParts parts() noexcept { return {setup_, life_, workers_, sockets_, rows_, log_, counts_}; }
  const Keepers& keepers() const noexcept { return deploys_.kept().keepers(); }
  bool runs() const noexcept { return wanted_ && !life_.gone(); }
  bool may_retry() const noexcept { return wanted_ && !stopped_; }
  void renew(StartReason reason);
  void end() noexcept;

  void carry_out(unsigned slot, const Order& order);
  void spawn(unsigned slot, unsigned generation);
  void heed(LivingWorker& worker, const control::StatusReport& report);
  void heed_keeper(LivingWorker& worker, const control::StatusReport& report);
  void begin_serving(LivingWorker& worker);
  void bury(LivingWorker& worker, const siginfo_t& info, const rusage& usage);
  void record_end(unsigned row, const LastState& last, const scoreboard::Death& death);
  void note_end(const LivingWorker& worker, const LastState& last, const scoreboard::Death& death);
  void tell_troubles();
  void replace_silent(LivingWorker& worker, Vigils::Finding finding);
  int ending_signal() const noexcept;

  OomCounter& oom_;
  GroupSetup setup_;
  GroupLife life_;
  const GroupLog log_;
  GroupSockets sockets_;
  LivingWorkers workers_;
  const SlotRows rows_;
  WorkerCounts counts_;
  Deploys deploys_;
  SilenceWatch silence_;
  bool wanted_ = true;
  std::optional<base::TimePoint> look_for_children_at_;  // while it is not configured
  std::optional<scoreboard::Troubles> told_troubles_;    // nothing: none, on this board
  bool stopped_ = false;
  bool hurried_ = false;
  StartFailures failures_;
};

}  // namespace pyhost::supervisor
