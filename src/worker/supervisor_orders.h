// What the supervisor wants of a worker that runs.
#pragma once

#include <optional>

#include "base/file_log.h"
#include "control/worker_orders.h"
#include "pyhost/gateway/engine_watch.h"
#include "scoreboard/report_writer.h"
#include "worker/thread_pool.h"

namespace pyhost::worker {

// Follows the orders that come over the status socket. The process's main thread.
class SupervisorOrders {
 public:
  // Both outlive the orders.
  SupervisorOrders(base::FileLog& log, scoreboard::ReportWriter& report,
                   int listen_backlog) noexcept
      : log_(log), report_(report), listen_backlog_(listen_backlog) {}

  // Follows the next one. False when the socket to the supervisor is none any more.
  bool heed_next();
  // Whether the worker may serve although an import has failed; nothing before the supervisor has
  // answered that.
  std::optional<bool> may_serve() const noexcept { return may_serve_; }
  // The pool that an order may restrict to some scripts. It outlives the orders.
  void concern(ThreadPool& pool) noexcept { pool_or_null_ = &pool; }
  // What an order may look at; null for an engine that cannot be watched. It outlives the orders.
  void concern(gateway::EngineWatch* watch_or_null) noexcept { watch_or_null_ = watch_or_null; }

 private:
  void change_log(base::UniqueFd log);
  void keep(control::WorkerOrder order);

  base::FileLog& log_;
  scoreboard::ReportWriter& report_;
  const int listen_backlog_;
  std::optional<bool> may_serve_;
  ThreadPool* pool_or_null_ = nullptr;
  gateway::EngineWatch* watch_or_null_ = nullptr;
};

}  // namespace pyhost::worker
