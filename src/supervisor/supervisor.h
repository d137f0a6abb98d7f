// Starts and watches the workers of all process groups, as httpd's parent wants them.
#pragma once

#include <list>
#include <memory>

#include "control/control_channel.h"
#include "supervisor/group/worker_group.h"
#include "supervisor/operators/operator_service.h"
#include "supervisor/reload/reload_service.h"
#include "supervisor/state_change.h"

namespace pyhost::supervisor {

struct SupervisorSpec {
  base::UniqueFd control;  // its end of the control channel
  base::UniqueFd httpd;    // a pidfd of httpd's parent; readable when that has gone
  pid_t httpd_pid;         // whose messages alone count
  std::string worker_program;
  std::string lookout_program;
  launch::ResourceLimit worker_descriptors;  // the limit of open files that workers get
  base::UniqueFd log;                        // httpd's main error log
};

// One thread. Wants SIGTERM to be blocked in the process before it is made; it reads it and then
// leaves as if httpd had gone. Children of the process that it has not started are left alone.
class Supervisor {
 public:
  static base::Result<std::unique_ptr<Supervisor>> create(SupervisorSpec spec);

  // Returns when httpd has gone and every worker has ended.
  void run();

 private:
  Supervisor(SupervisorSpec spec, os::EventLoop loop, base::UniqueFd signals);

  base::Result<> watch_all();
  void advance_groups();
  void heed_control();
  void heed_end_of_httpd();
  void note_stranger(const control::Sender& stranger);
  void begin(control::ControlMessage message);
  base::Result<> consider(control::ControlMessage& message);
  void conclude();
  void answer(std::uint64_t number, const std::vector<std::string>& errors);
  base::Result<std::vector<launch::ListeningSocket>> open_sockets(
      const control::WantedState& state, const control::WantedGroup& wanted);
  void check_descriptors(const control::WantedState& state, std::size_t passed);
  void mend_sockets(base::TimePoint now);
  void look_after_workers(base::TimePoint now);
  void commit(const control::WantedState& state, std::vector<GroupSetup> setups);
  WorkerGroup* find_group(const control::WantedGroup& wanted, const std::string& prefix) noexcept;
  void retire();
  void leave(std::string_view why);
  std::optional<base::TimePoint> next_deadline() const;

  SupervisorSpec spec_;
  os::EventLoop loop_;
  base::UniqueFd signals_;
  control::ControlReceiver receiver_;
  const std::shared_ptr<QueuedLog> log_;
  OomCounter oom_;
  std::optional<control::HttpdIdentity> httpd_;  // as it was told first
  std::optional<pid_t> stranger_;                // that was reported
  // Those that drain stay here until their last worker has ended.
  std::list<WorkerGroup> groups_;
  std::size_t first_group_ = 0;        // whose turn is the next, counted on
  bool groups_wait_ = false;           // some have had none
  std::optional<StateChange> change_;  // that is under way
  base::UniqueFd next_log_;            // our own when it is done
  OperatorService operators_;
  OperatorService stacks_;  // the same for httpd's children, who may ask for stacks
  ReloadService reloads_;
  base::TimePoint mend_at_{};                  // when sockets are looked at next
  base::TimePoint look_at_{};                  // the same for workers
  bool retired_ = false;                       // a successor has taken over
  std::optional<base::TimePoint> give_up_at_;  // set when we leave
};

}  // namespace pyhost::supervisor
