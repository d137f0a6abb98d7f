// The processes of a group's workers.
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "control/worker_orders.h"
#include "control/worker_report.h"
#include "os/event_loop.h"
#include "supervisor/group/deploy_verdict.h"
#include "supervisor/group/group_setup.h"
#include "supervisor/group/process_usage.h"
#include "supervisor/group/worker_place.h"

namespace pyhost::supervisor {

// One of them, and what it has said. Its life is its slot's, see SlotLife, or that of a keeper.
struct LivingWorker {
  WorkerPlace place;
  pid_t pid = 0;
  unsigned threads = 0;
  LifeLimits limits;
  ScriptKeys required;   // it is started to have these
  base::UniqueFd pidfd;  // readable when it has ended
  control::StatusReader status;
  base::TimePoint started;
  std::int64_t started_us = 0;  // since the epoch

  std::optional<control::StartStep> last_step;  // that it has reported
  std::string failure;                          // the sentence that it has reported
  std::optional<control::EndReason> leaving;    // why it drains, unless it was told to
  bool ready = false;
  bool recorded = false;  // its slot stands for it on the scoreboard
  // Scripts that it has imported, or could not import.
  ScriptKeys has;
  ScriptKeys lacks;
  // Whether it may serve without what it lacks.
  enum class Question { none, open, answered } question = Question::none;
  ProcessorTime processor_time;  // that has been counted
  // When it is a keeper, or about to be.
  std::optional<launch::ListeningSocket> kept_socket;
};

// Starts them, hears them, and takes their ends from the system. Single-threaded, in the thread of
// the loop, which outlives it.
class LivingWorkers {
 public:
  struct Handlers {
    std::function<void(LivingWorker&, const control::StatusReport&)> on_report;
    // What it said last was reported before. It is none of the living any more.
    std::function<void(LivingWorker&, const siginfo_t&, const rusage&)> on_end;
  };

  LivingWorkers(os::EventLoop& loop, Handlers handlers);
  LivingWorkers(const LivingWorkers&) = delete;
  LivingWorkers& operator=(const LivingWorkers&) = delete;
  // The processes go on; nobody hears them any more.
  ~LivingWorkers();

  // Starts the worker of that place, which listens at that socket and is to have what is
  // `required`. Fails with a sentence for the log.
  base::Result<LivingWorker*> start(const GroupSetup& setup, const WorkerPlace& place,
                                    const std::optional<StartImports>& imports, ScriptKeys required,
                                    int socket);

  // PRECONDITION: it lives.
  LivingWorker& at(pid_t pid) { return workers_.at(pid); }
  std::size_t size() const noexcept { return workers_.size(); }
  template <class Visitor>
  void for_each(Visitor visit) {
    for (auto& [pid, worker] : workers_) visit(worker);
  }

  // What they have said and was not heard yet is reported now.
  void hear_all();
  // Workers of before get the log that httpd has opened anew, however long they stay.
  void hand_log_over(QueuedLog& log) const;
  void signal_all(int signal) const noexcept;

 private:
  base::Result<> watch(LivingWorker& worker);
  void hear(pid_t pid);
  void reap(pid_t pid);
  void forget(const LivingWorker& worker) noexcept;

  os::EventLoop& loop_;
  const Handlers handlers_;
  std::map<pid_t, LivingWorker> workers_;
};

}  // namespace pyhost::supervisor
