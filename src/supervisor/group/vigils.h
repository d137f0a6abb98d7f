// Looks after those workers of a group that may not serve any more.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "os/event_loop.h"
#include "supervisor/group/probe.h"
#include "supervisor/group/vigil.h"

namespace pyhost::supervisor {

// Single-threaded, in the thread of the loop, which outlives it.
class Vigils {
 public:
  enum class Finding { serves, not_running, not_accepting };

  // Called once for each doubt about a worker; it may call forget().
  using Report = std::function<void(pid_t worker, Finding finding)>;

  Vigils(os::EventLoop& loop, Report report) noexcept : loop_(loop), report_(std::move(report)) {}

  // What can be done with a worker.
  struct Worker {
    pid_t pid = 0;
    int status_socket = -1;  // stays the caller's
    std::string socket_path;
  };
  // To be called every Vigil::kBetweenLooks for each worker that is ready; whether there is doubt
  // about it.
  bool look(const Worker& worker, const WorkerSight& sight);
  // The worker has answered.
  void heard(pid_t worker);
  // It has ended, or serves nobody any more.
  void forget(pid_t worker) noexcept { watched_.erase(worker); }

 private:
  struct Watched {
    Worker worker;
    WorkerSight sight;
    Vigil vigil;
    bool asked = false;
    std::unique_ptr<Probe> probe;
  };

  void satisfy(Watched& watched, Vigil::Need need);
  void conclude(pid_t worker, Finding finding);
  void greeted(pid_t worker);

  os::EventLoop& loop_;
  const Report report_;
  std::map<pid_t, Watched> watched_;  // those about which there is doubt
};

}  // namespace pyhost::supervisor
