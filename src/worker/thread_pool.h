// The threads of a worker.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/thread.h"
#include "pyhost/base/unique_fd.h"
#include "pyhost/gateway/runner.h"
#include "worker/connections.h"
#include "worker/pool_settings.h"
#include "worker/request_server.h"
#include "worker/running_request.h"
#include "worker/wake_policy.h"
#include "worker/watched_request.h"
#include "worker/worker_exchange.h"

namespace pyhost::worker {

// Serves what comes over a listening socket until it is stopped: its threads wait on Connections
// and have a RequestServer serve what comes. Everything here is called by the one thread that owns
// the pool.
class ThreadPool {
 public:
  // `on_served` is called on a pool thread when a request is over and no longer counted. The
  // runner, the log and what on_served uses outlive the pool, and the listening socket is shared
  // with other processes.
  static base::Result<std::unique_ptr<ThreadPool>> start(gateway::Runner& runner,
                                                         base::UniqueFd listening,
                                                         PoolSettings settings, base::LogSink& log,
                                                         std::function<void()> on_served);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  // Accepts no more connections and answers further requests with RETRY. Running ones go on;
  // WebSockets are closed. A second call may hurry those.
  void drain(gateway::Leaving why);
  // Whether connections are accepted; those that there are go on. Has no effect behind drain().
  void accept_connections(bool accept) noexcept { connections_->accept(accept); }
  // From now on connections are accepted at that socket, which listens, and only for these scripts,
  // as script_key() has them; requests for others are sent back. At most once, before drain().
  void keep_only(base::UniqueFd listening, std::vector<std::uint64_t> scripts);
  // Calls PoolSettings::on_load as if the number of requests had changed.
  void repeat_load() { server_->repeat_load(); }
  // How many requests were taken and not left, or have something done behind their reply. After
  // drain() it only falls for good.
  unsigned requests_active() const { return server_->active(); }
  // How many of them are WebSockets.
  unsigned sockets() const { return server_->streams(); }
  // The requests that applications are busy with.
  std::vector<RunningRequest> requests_running() const;
  // When the last request ended, or something moved in a WebSocket; nothing before the first one.
  std::optional<base::TimePoint> last_end() const noexcept;
  // Calls `act` with one of them; false when it is not there any more.
  bool with(const RunningRequest& request, const std::function<void(WatchedRequest&)>& act) const;
  // "thread wsgi-3": who runs it.
  static std::string runner_of(const RunningRequest& request);
  // Ends the threads. False when a request still keeps one busy: that thread goes on, and the
  // process has to end without destroying the pool.
  bool stop(std::chrono::milliseconds budget);

 private:
  struct Thread {
    Thread(base::LogSink& log, const PoolSettings& settings)
        : exchange(log, reply_timeout(settings), settings.before_reply) {}

    WorkerExchange exchange;
    base::NamedThread handle;
    bool ended = false;  // guarded by mutex_
  };

  explicit ThreadPool(PoolSettings settings) noexcept
      : settings_(std::move(settings)), wake_policy_(settings_.group.threads) {}

  static wire::Timeout reply_timeout(const PoolSettings& settings) noexcept;
  base::Result<> start_thread(base::LogSink& log);
  void run(Thread& self) noexcept;
  bool heed_next(Thread& self) noexcept;

  const PoolSettings settings_;
  std::unique_ptr<Connections> connections_;  // this and the next one are there once it is open
  std::optional<RequestServer> server_;
  WakePolicy wake_policy_;
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned threads_left_ = 0;                     // guarded by mutex_
  std::vector<std::unique_ptr<Thread>> threads_;  // the owner's
};

}  // namespace pyhost::worker
