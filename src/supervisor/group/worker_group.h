// A process group with its sockets and its living workers.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/wanted_state.h"
#include "control/worker_report_reader.h"
#include "launch/listening_socket.h"
#include "launch/worker_start.h"
#include "metrics/group_snapshot.h"
#include "os/event_loop.h"
#include "scoreboard/scoreboard.h"
#include "supervisor/group/cause_of_death.h"
#include "supervisor/group/deploy_verdict.h"
#include "supervisor/group/group_life.h"
#include "supervisor/group/group_scripts.h"
#include "supervisor/group/import_retries.h"
#include "supervisor/group/keepers.h"
#include "supervisor/group/vigils.h"
#include "supervisor/queued_log.h"

namespace pyhost::supervisor {

// Everything a group needs to start workers, checked: nothing in it is expected to fail.
struct GroupSetup {
  control::WantedGroup wanted;
  launch::WorkerPlan plan;
  launch::StartInputs inputs;      // what `plan` and the settings of workers are completed with
  std::shared_ptr<QueuedLog> log;  // groups may share it
  std::unique_ptr<scoreboard::Scoreboard> scoreboard;
  scoreboard::BoardFiles for_workers;  // of the same; the board is good for reading only
  std::vector<launch::ListeningSocket>
      sockets;  // of the slots that have none yet, the lowest first
};

// How long a group's workers may take to start and to end.
LifeLimits life_limits(const settings::ProcessGroup& group) noexcept;

// Single-threaded, in the thread of the loop, which outlives it.
class WorkerGroup {
 public:
  WorkerGroup(os::EventLoop& loop, OomCounter& oom, std::string socket_prefix);
  WorkerGroup(const WorkerGroup&) = delete;
  WorkerGroup& operator=(const WorkerGroup&) = delete;
  ~WorkerGroup();

  // The group is wanted, with this setup; its workers are renewed, unless they are to go on over a
  // restart and nothing has changed for them.
  void adopt(GroupSetup setup);
  // The group is not configured any more: it ends as soon as there is no child of httpd that may
  // still send it requests. Should it come back, then not stopped.
  void dismiss() noexcept;
  // It ends now.
  void retire() noexcept;
  // The same when httpd ends: running requests get no more than shutdown-timeout.
  void hurry();

  // Makes sockets anew whose files are gone, and renews the workers that listen at them.
  void mend_sockets();

  // To be called every Vigil::kBetweenLooks, or less often while nothing is to be seen: looks for
  // workers that do not serve any more, which are replaced. Whether there was anything to be seen.
  bool look_after_workers();

  // What operators ask for. A reload renews the workers as a restart of httpd does; `changed` is
  // the file that it is for. A group that is stopped stays so over restarts of httpd, and
  // PRECONDITION: is not reloaded.
  void reload(std::string changed = {});
  void stop();
  void start();
  bool stopped() const noexcept { return stopped_; }
  bool wanted() const noexcept { return wanted_; }
  // Whether each slot is served by a worker that is not to be replaced.
  bool up_to_date() const noexcept { return life_.up_to_date(); }
  // Whether everything that serves from now on, or will, was started then or later.
  bool renewed_since(base::TimePoint moment) const noexcept { return life_.renewed_since(moment); }
  bool empty() const noexcept { return life_.empty() && keepers_.empty(); }
  // Whether any worker takes requests.
  bool serves() const noexcept;
  // Of workers so far; the last one's sentence.
  unsigned failed_starts() const noexcept { return failed_starts_; }
  const std::string& last_failure() const noexcept { return last_failure_; }
  metrics::GroupStatus status() const;

  // Does what is due.
  void advance();
  std::optional<base::TimePoint> next_deadline() const noexcept;
  bool gone() const noexcept { return life_.gone() && keepers_.empty(); }
  base::Milliseconds drain_max() const noexcept {
    return life_limits(setup_.wanted.options).drain_max;
  }

  // Whether it runs, as it is wanted here.
  bool runs_as(const control::WantedGroup& wanted) const;
  // Whether it runs, and its workers are started with these options and this plan, which has no
  // environment yet.
  bool starts_as(const settings::ProcessGroup& options, const launch::WorkerPlan& plan) const;
  const launch::StartInputs& inputs() const noexcept { return setup_.inputs; }
  const launch::Credentials& credentials() const noexcept { return setup_.plan.credentials; }

  // What of an earlier configuration stays in use when the same group comes again.
  const std::string& socket_prefix() const noexcept { return socket_prefix_; }
  unsigned index() const noexcept { return setup_.wanted.index; }
  const std::string& name() const noexcept { return setup_.wanted.options.name; }
  unsigned socket_count() const noexcept { return sockets_.size(); }
  const settings::ProcessGroup& options() const noexcept { return setup_.wanted.options; }

 private:
  struct Worker {
    unsigned slot;
    unsigned generation;
    unsigned report;  // which of the slot's reports on the scoreboard it writes
    unsigned threads;
    base::UniqueFd pidfd;
    control::StatusReader status;
    LifeLimits limits;
    ScriptKeys required;    // it is started to have these
    std::string last_step;  // that it has reported
    std::string failure;    // the sentence that it has reported
    std::string leaving;    // why it drains by itself; "" when it was told to
    bool ready = false;
    bool kept = false;      // it goes on because its successor could not start
    bool recorded = false;  // its slot stands for it in its board
    base::TimePoint started;
    std::int64_t started_us = 0;  // since the epoch
    // Scripts that it has imported, or could not import.
    ScriptKeys has;
    ScriptKeys lacks;
    // Whether it may serve without what it lacks.
    enum class Question { none, open, answered } question = Question::none;
    // When it is kept, or about to be.
    std::optional<launch::ListeningSocket> kept_socket;
  };

  void carry_out(unsigned slot, const Order& order);
  void spawn(unsigned slot, unsigned generation);
  unsigned free_report(unsigned slot) const;
  base::Result<launch::WorkerProcess> start(unsigned slot, unsigned generation, unsigned report);
  void keep(unsigned slot, unsigned generation, unsigned report, launch::WorkerProcess process);
  void read_status(pid_t pid);
  void heed(pid_t pid, Worker& worker, const control::StatusReport& report);
  bool keeps_workers(const GroupSetup& setup) const;
  void hand_log_over();
  void renew();
  void note_failure(std::string why);
  void begin_serving(pid_t pid, Worker& worker);
  void reap(pid_t pid);
  void report_failed_start(pid_t pid, const Worker& worker, const scoreboard::Death& death);
  void report_end(pid_t pid, const Worker& worker, const LastState& last,
                  const scoreboard::Death& death);
  void take_slot_over(pid_t pid, Worker& worker) noexcept;
  void record_slot(unsigned slot) noexcept;
  std::string label(unsigned slot, unsigned generation, pid_t pid) const;

  // Of worker_group_deploys.cpp: changes of scripts, and scripts that a worker cannot import.
  void roll(pid_t pid, const Worker& worker, const control::StatusReport& report);
  void fall_back_after(const Worker& worker);
  void fall_back(std::int64_t successor_started_us);
  const Worker* serving_or_null(unsigned slot) const;
  unsigned row_of_worker(pid_t pid, const Worker& worker) const noexcept;
  void note_import(Worker& worker, const control::StatusReport& report);
  void note_lack(Worker& worker, const control::StatusReport& report);
  void note_renewal_for(const std::string& file);
  ScriptKeys scripts_served() const;
  DeployCase case_of(const Worker& worker) const;
  void decide(pid_t pid, Worker& worker);
  void answer(pid_t pid, Worker& worker, bool serves);
  void answer_successor(unsigned slot, bool serves);
  bool ask_to_keep(const ScriptKeys& scripts, const Worker& successor);
  void note_keeping(pid_t pid);
  void heed_keeper(pid_t pid, Worker& worker, const control::StatusReport& report);
  void put_keepers_back(const ScriptKeys& scripts, std::int64_t successor_started_us);
  void adopt_keepers();
  void advance_keepers();
  void settle_scripts_of(const Worker& worker);
  bool may_import_again() const noexcept;
  void import_again();
  ScriptKeys required_in(unsigned slot) const;
  std::vector<control::Preload> imports_for(const ScriptKeys& required) const;
  bool end_attempt(unsigned slot, const ScriptKeys& required);

  // Of worker_group_vigils.cpp.
  void heed(pid_t pid, Vigils::Finding finding);

  // Of worker_group_status.cpp.
  bool degraded() const noexcept;
  std::optional<metrics::ScriptStatus> status_of(const control::Preload& script) const;
  std::vector<metrics::ScriptStatus> script_status() const;

  os::EventLoop& loop_;
  OomCounter& oom_;
  const std::string socket_prefix_;
  GroupSetup setup_;
  GroupLife life_;
  bool wanted_ = true;
  std::optional<base::TimePoint> look_for_children_at_;  // while it is dismissed
  bool stopped_ = false;
  bool hurried_ = false;
  unsigned failed_starts_ = 0;
  bool failing_ = false;  // no worker has become ready since the last failed start
  std::string last_failure_;
  std::string changed_;  // the file that the last renewal is for; "" when it is for none
  std::vector<launch::ListeningSocket> sockets_;  // by slot
  // Whose files are gone; workers of before still take what waits there.
  std::vector<launch::ListeningSocket> replaced_sockets_;
  std::string socket_problem_;  // that was logged
  std::map<pid_t, Worker> workers_;
  Vigils vigils_;
  unsigned looks_at_waiting_ = 0;  // since no request of the group has waited
  GroupScripts scripts_;
  Keepers keepers_;
  ImportRetries retries_;
  RenewalReasons reasons_;  // of the renewal that is under way
  // A slot whose worker is renewed to have a script that it could not import.
  struct Attempt {
    unsigned slot;
    std::uint64_t script;
  };
  std::optional<Attempt> attempt_;
};

}  // namespace pyhost::supervisor
