// Starts and watches the workers of all process groups, as httpd's parent wants them.
#pragma once

#include <list>
#include <memory>

#include "supervisor/control_channel.h"
#include "supervisor/operator_service.h"
#include "supervisor/reload_service.h"
#include "supervisor/worker_group.h"

namespace pyhost::supervisor {

struct SupervisorSpec {
  base::UniqueFd control;  // its end of the control channel
  base::UniqueFd httpd;    // a pidfd of httpd's parent; readable when that has gone
  base::UniqueFd log;      // httpd's main error log
};

// One thread. Wants SIGTERM to be blocked in the process before it is made; it reads it and then
// leaves as if httpd had gone. Children of the process that it has not started are left alone.
class Supervisor {
 public:
  static base::Result<std::unique_ptr<Supervisor>> create(SupervisorSpec spec);

  // Returns when httpd has gone and every worker has ended.
  void run();

 private:
  Supervisor(SupervisorSpec spec, EventLoop loop, base::UniqueFd signals);

  base::Result<> watch_all();
  void heed_control();
  std::vector<std::string> apply(ControlMessage message);
  // Checks everything before anything is changed.
  std::vector<std::string> prepare(const WantedState& state, ControlMessage& message,
                                   std::vector<GroupSetup>& setups);
  base::Result<GroupSetup> prepare_group(const WantedState& state, const WantedGroup& wanted,
                                         const std::vector<base::UniqueFd>& descriptors);
  base::Result<std::vector<ListeningSocket>> open_sockets(const WantedState& state,
                                                          const WantedGroup& wanted);
  void commit(const WantedState& state, std::vector<GroupSetup> setups);
  WorkerGroup* find_group(const WantedGroup& wanted, const std::string& prefix) noexcept;
  void leave(std::string_view why);
  std::optional<TimePoint> next_deadline() const;

  SupervisorSpec spec_;
  EventLoop loop_;
  base::UniqueFd signals_;
  base::FileLog log_;
  OomCounter oom_;
  // Those that drain stay here until their last worker has ended.
  std::list<WorkerGroup> groups_;
  OperatorService operators_;
  ReloadService reloads_;
  std::optional<TimePoint> give_up_at_;  // set when we leave
};

}  // namespace pyhost::supervisor
