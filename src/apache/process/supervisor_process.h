// The supervisor in force, as httpd's parent knows it: a process, and a channel to it.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "apache/httpd_api.h"
#include "apache/process/leaving_supervisors.h"
#include "apache/process/retained_supervision.h"
#include "base/clock.h"
#include "control/supervisor_link.h"
#include "control/wanted_state.h"
#include "pyhost/base/result.h"

namespace pyhost::apache {

// One per generation of the configuration, used by the parent's only thread. The process and the
// channel outlive it: they are kept in memory that httpd does not clear at a restart.
class SupervisorProcess {
 public:
  // `on_end` is called by httpd, among its other children, when the process has ended.
  SupervisorProcess(process_rec* process, RetainedSupervision& retained, SupervisorEra& era,
                    LeavingSupervisors& leaving, std::function<void()> on_end);
  SupervisorProcess(const SupervisorProcess&) = delete;
  SupervisorProcess& operator=(const SupervisorProcess&) = delete;

  bool runs() const noexcept { return era_.pid != 0; }
  pid_t pid() const noexcept { return era_.pid; }
  // Whether it has closed its end of the channel, which is how it begins to leave.
  bool leaves() const noexcept;
  // How long ago it was started by this object; nothing when it is from before.
  std::optional<base::Clock::duration> age() const;

  // Starts one; `log` is for what it says before it has been told anything.
  base::Result<> launch(int log);
  // Has httpd look after one from before a restart.
  void watch();
  // Gives it up: the channel is closed, and a process that is left is one that leaves.
  void forget();

  // Each of these is another message; answers are to the last one. See control/supervisor_link.h.
  base::Result<> send(const control::WantedState& state, const std::vector<int>& descriptors);
  // Why what httpd wants was refused, or "". If it does not arrive, operators know less, and
  // nothing else.
  void tell_refusal(const std::string& why);
  base::Result<control::Answer> await_answer() const;
  base::Result<std::optional<control::Answer>> take_answer() const;

 private:
  static void on_other_child(int reason, void* self, int status);
  void unwatch() noexcept;

  process_rec* const process_;
  RetainedSupervision& retained_;
  SupervisorEra& era_;
  LeavingSupervisors& leaving_;
  const std::function<void()> on_end_;
  bool watched_ = false;  // by httpd
  std::optional<base::TimePoint> launched_;
};

}  // namespace pyhost::apache
