// The threads of a worker, and the connections they share.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/thread.h"
#include "control/worker_settings.h"
#include "os/fork_watch.h"
#include "pyhost/base/unique_fd.h"
#include "pyhost/gateway/runner.h"
#include "wire/connection.h"
#include "worker/acceptor.h"
#include "worker/child_connections.h"
#include "worker/wake_policy.h"
#include "worker/worker_exchange.h"
#include "worker/worker_life.h"

namespace pyhost::worker {

// What becomes of a request whose script the engine finds outdated.
enum class WhenOutdated {
  send_back,  // RETRY: it is given to another worker
  run_again,  // the change has been accepted meanwhile
};

struct PoolSettings {
  std::string process_group;
  std::uint32_t generation = 1;
  unsigned threads = 1;
  std::size_t stack_bytes = base::kPythonStackBytes;
  std::chrono::milliseconds socket_timeout = wire::kNoTimeout;
  // How long a child waits for its client before it takes more of a reply; 0: socket_timeout.
  std::chrono::milliseconds response_socket_timeout{0};
  uid_t httpd_uid = 0;  // whose connections are served, if they begin with the secret
  gateway::GroupSecret secret;
  control::ServedTargets targets;
  // Called on a pool thread. Without it, every outdated request is sent back.
  std::function<WhenOutdated(std::string_view script)> on_outdated;
  // The script could not be imported. Called on a pool thread, before the request goes back.
  std::function<void(const gateway::Target& target, std::string_view why)> on_lack;
  // The same, before anything of a reply is sent.
  std::function<void()> before_reply;
  // Called on a pool thread, one at a time, whenever another number of requests is running.
  std::function<void(unsigned requests)> on_load;
  // Called on a pool thread, perhaps on several, when it cannot go on, because `what` it waits with
  // was closed or replaced. The thread ends behind it.
  std::function<void(std::string_view what)> on_broken;
};

// Serves what comes over a listening socket until it is stopped. Every thread waits on one epoll
// set for all connections: whoever is free takes the next request, so none waits behind a busy
// thread. Everything else is called by the one thread that owns the pool.
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

  // Accepts no more connections and answers further requests with RETRY. Running ones go on.
  void drain() noexcept;
  // Whether connections are accepted; those that there are go on. Has no effect behind drain().
  void accept_connections(bool accept) noexcept;
  // From now on connections are accepted at that socket, which listens, and only for these scripts,
  // as script_key() has them; requests for others are sent back. At most once, before drain().
  void keep_only(base::UniqueFd listening, std::vector<std::uint64_t> scripts);
  // Calls PoolSettings::on_load as if the number of requests had changed.
  void repeat_load();
  // How many requests were taken and not left. After drain() it only falls for good.
  unsigned requests_active() const;
  // The requests that applications are busy with, by thread.
  std::vector<RunningRequest> requests_running() const;
  // When the last request of any thread ended; nothing before the first one has.
  std::optional<base::TimePoint> last_end() const noexcept;
  // Where the requests of a thread are; for what its members say may come from outside.
  WorkerExchange& exchange(unsigned thread) noexcept { return threads_[thread]->exchange; }
  // Ends the threads. False when a request still keeps one busy: that thread goes on, and the
  // process has to end without destroying the pool.
  bool stop(std::chrono::milliseconds budget);

 private:
  ThreadPool(gateway::Runner& runner, base::UniqueFd listening, PoolSettings settings,
             base::LogSink& log, std::function<void()> on_served) noexcept;

  base::Result<> open();
  bool watch(int operation, int fd, std::uint64_t tag, unsigned events) noexcept;
  static wire::Timeout reply_timeout(const PoolSettings& settings) noexcept;
  struct Thread {
    Thread(base::LogSink& log, const PoolSettings& settings)
        : exchange(log, reply_timeout(settings), settings.before_reply) {}

    WorkerExchange exchange;
    base::NamedThread handle;
    bool ended = false;  // guarded by mutex_
  };

  void run(Thread& self) noexcept;
  bool heed_next(Thread& self) noexcept;
  bool await_connection() noexcept;
  bool pause() noexcept;
  bool accept_one();
  void welcome(base::UniqueFd socket);
  bool note_broken(std::string_view what) const noexcept;
  void heed(std::uint64_t id, unsigned events, Thread& self) noexcept;
  bool read_frame(ChildConnection& child, wire::Frame& frame, wire::Timeout timeout);
  bool hear_greeting(ChildConnection& child);
  void serve(ChildConnection& child, WorkerExchange& exchange);
  void serve_request(ChildConnection& child, std::string_view payload, WorkerExchange& exchange);
  gateway::Outcome run_application(WorkerExchange& exchange);
  bool keeps(const gateway::Target& target) const;
  void reject(ChildConnection& child, std::string_view why);
  void answer_retry(ChildConnection& child, std::string_view why);
  void keep(ChildConnection& child) noexcept;
  void keep_locked(ChildConnection& child, int operation) noexcept;
  void close(const ChildConnection& child);
  bool make_room();
  void close_old_lines_locked(base::TimePoint now);
  void close_descriptors() const noexcept;
  void enter_request();
  void leave_request();

  gateway::Runner& runner_;
  const PoolSettings settings_;
  base::LogSink& log_;
  const std::function<void()> on_served_;
  WakePolicy wake_policy_;
  base::UniqueFd epoll_;
  base::UniqueFd stop_event_;
  base::UniqueFd pause_timer_;  // its end ends a pause in accepting
  Acceptor acceptor_;
  std::atomic<bool> draining_ = false;
  std::vector<std::uint64_t> kept_scripts_;  // not changed once the next one is true
  std::atomic<bool> keeps_some_only_ = false;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  unsigned active_ = 0;  // requests; this and the next four belong to mutex_
  unsigned threads_left_ = 0;
  ChildConnections connections_;
  base::TimePoint next_look_at_lines_{};
  std::vector<std::unique_ptr<Thread>> threads_;  // the owner's
  const os::ForkWatch fork_watch_{mutex_, [this] { close_descriptors(); }};
};

}  // namespace pyhost::worker
