// The connections of a worker, and the set on which its threads wait.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>

#include "base/clock.h"
#include "os/fork_watch.h"
#include "pyhost/base/log.h"
#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"
#include "worker/acceptor.h"
#include "worker/child_connections.h"
#include "worker/pool_settings.h"

namespace pyhost::worker {

// Takes who connects, greets them, closes what has been idle for long, and hands out one connection
// at a time to whoever waits: all wait on one epoll set, so a message goes to any free thread and
// none waits behind a busy one. May be used by any thread. In a process that an application forks
// off, its descriptors are closed.
class Connections {
 public:
  // The listening socket is shared with other processes. Settings and log outlive the connections.
  static base::Result<std::unique_ptr<Connections>> open(base::UniqueFd listening,
                                                         const PoolSettings& settings,
                                                         base::LogSink& log);
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // What a thread has waited for.
  struct Event {
    enum class Kind {
      nothing,  // that is the caller's business: it waits again
      message,  // over `child`, which is the caller's until it calls keep() or close()
      stopped,  // stop() was called
      broken,   // `broken` was closed or replaced, so that nobody can wait any more
    };
    Kind kind = Kind::nothing;
    ChildConnection* child = nullptr;
    std::string_view broken = {};  // "listening socket"
  };
  Event wait() noexcept;

  // The exchange over it is over in good order: it waits for the next message, for any thread.
  void keep(ChildConnection& child) noexcept;
  void close(const ChildConnection& child);
  // A message has come over it that was put back (wire::Connection): whoever waits next has it.
  void pass_on(ChildConnection& child) noexcept;

  // Whether who connects is accepted; connections that there are go on. Without effect behind
  // end_accepting(), which is for good.
  void accept(bool accept) noexcept;
  void end_accepting() noexcept;
  // From now on who connects is accepted at that socket, which listens.
  void accept_at(base::UniqueFd listening) noexcept;
  // Ends all waits, and those to come.
  void stop() noexcept;

 private:
  Connections(base::UniqueFd listening, const PoolSettings& settings, base::LogSink& log) noexcept;

  base::Result<> watch_all() noexcept;
  bool watch(int operation, int fd, std::uint64_t tag, unsigned events) noexcept;
  Event await_connection() noexcept;
  Event pause() noexcept;
  Event accept_one();
  void welcome(base::UniqueFd socket);
  bool make_room();
  Event take(std::uint64_t id, unsigned events) noexcept;
  Event take_passed_on() noexcept;
  void keep_locked(ChildConnection& child, int operation) noexcept;
  void close_idle_locked(base::TimePoint now);
  void close_descriptors() const noexcept;

  const PoolSettings& settings_;
  base::LogSink& log_;
  base::UniqueFd epoll_;
  base::UniqueFd stop_event_;
  base::UniqueFd passed_on_event_;  // counts what is passed on
  base::UniqueFd pause_timer_;      // its end ends a pause in accepting
  Acceptor acceptor_;
  std::atomic<bool> accepting_ended_ = false;

  std::mutex mutex_;
  ChildConnections connections_;  // this and the next ones are guarded by mutex_
  std::deque<ChildConnection*> passed_on_;
  base::TimePoint next_look_at_idle_{};
  const os::ForkWatch fork_watch_{mutex_, [this] { close_descriptors(); }};
};

}  // namespace pyhost::worker
