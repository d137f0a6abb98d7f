// Tells a WorkerLife what it sees, and carries out what it orders.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"
#include "pyhost/base/log.h"
#include "pyhost/gateway/python_life.h"
#include "scoreboard/report_writer.h"
#include "worker/standby.h"
#include "worker/thread_pool.h"
#include "worker/worker_life.h"

namespace pyhost::worker {

// What a keeper works on; all of it outlives the keeper.
struct KeptWorker {
  std::string label;  // "worker 0 of process group 'blog'"
  const control::WorkerLimits& limits;
  ThreadPool& pool;
  gateway::PythonLife& python;
  const Standby& standby;
  scoreboard::ReportWriter& report;
  base::LogSink& log;
};

// How a worker ends.
enum class Farewell {
  orderly,  // with its interpreters
  at_once,  // Python cannot be reached
};

// Used by the process's main thread, which never waits for an interpreter here and for no
// connection; only the stacks of busy threads are waited for, for a moment in each advance().
class LifeKeeper {
 public:
  LifeKeeper(KeptWorker worker, WorkerLife life) noexcept
      : worker_(std::move(worker)),
        watch_or_null_(worker_.python.watch()),
        life_(std::move(life)) {}

  WorkerLife& life() noexcept { return life_; }

  // Does what is due; `served` is how many requests have ended. Something when the worker has to
  // end now. What there is no memory for is done by a later call.
  std::optional<Farewell> advance(std::uint64_t served) noexcept;
  // When that is to be called although no event has come.
  std::optional<base::TimePoint> next_deadline() const noexcept;

 private:
  std::optional<Farewell> do_what_is_due(std::uint64_t served);
  Observation observe(std::uint64_t served);
  std::optional<Farewell> carry_out(const LifeOrder& order);
  void note(const RunningRequest& request, base::LogLevel level, base::Message message,
            std::string_view text);
  void announce_interruption(const RunningRequest& request);
  void interrupt(const RunningRequest& request);
  void announce_giving_up(const RunningRequest& request);
  void give_up(const RunningRequest& request);
  bool give_up(const RunningRequest& request, gateway::FailureCause failure,
               std::string_view cause);
  std::string cause_of_giving_up(const RunningRequest& request);
  void drain(EndReason reason);
  gateway::Leaving leaving() const noexcept;
  std::string_view told_reason(EndReason reason) const;
  void end_stuck();
  void name_what_is_cut_off();
  void name_blocked_loop();
  std::string phrase(const RunningRequest& request);
  const std::string& stacks();
  std::string look_at_stacks() const;

  KeptWorker worker_;
  gateway::EngineWatch* const watch_or_null_;  // null: an engine that cannot be watched
  WorkerLife life_;
  std::vector<LifeOrder> orders_;  // that are not carried out yet
  bool short_of_memory_ = false;
  base::TimePoint observed_at_{};
  std::vector<RunningRequest> running_;                // as seen then
  std::optional<gateway::InterpreterWait> lock_wait_;  // the same
  std::optional<gateway::InterpreterWait> loop_wait_;  // the same
  std::optional<std::string> stacks_;                  // since then, once they were wanted
};

}  // namespace pyhost::worker
