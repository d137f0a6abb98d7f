// Says what keeps a child of httpd from ending.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/thread.h"
#include "pyhost/base/log.h"
#include "pyhost/gateway/client_exchange.h"
#include "pyhost/gateway/engine_watch.h"
#include "pyhost/gateway/target.h"

namespace pyhost::apache {

// A threaded MPM waits for its threads before it ends a child, and kills the child when that takes
// too long. A thread of the watch's own looks whether httpd has given up a request that still runs,
// and names it while there is time. That httpd only waits for requests, after a graceful restart,
// is no reason. A HTTP/2 stream does not show whether it was given up: it is never named.
class ExitWatch {
 public:
  explicit ExitWatch(base::LogSink& log) noexcept : log_(log) {}
  ExitWatch(const ExitWatch&) = delete;
  ExitWatch& operator=(const ExitWatch&) = delete;
  ~ExitWatch();

  // Once. Fails when the system refuses a thread. What is given outlives the watch.
  base::Result<> start(gateway::EngineWatch* locks_or_null);

  // A request that an application serves, or a hook script is asked about, for its scope. Any
  // thread.
  class Running {
   public:
    // All of it outlives this.
    Running(ExitWatch& watch, const gateway::Target& target, const gateway::Client& client,
            const gateway::RequestHead& head);
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running();

   private:
    friend ExitWatch;

    bool given_up() const noexcept {
      return client_.client_socket().kind == gateway::ClientSocket::Kind::closed;
    }
    std::string phrase() const;

    ExitWatch& watch_;
    const gateway::Target& target_;
    const gateway::Client& client_;
    const gateway::RequestHead& head_;
    const base::Clock::time_point began_ = base::Clock::now();
  };

 private:
  void watch();
  // What is to be said now.
  std::optional<std::string> look_locked();
  std::string obstacles_locked();

  base::LogSink& log_;
  gateway::EngineWatch* locks_or_null_ = nullptr;
  base::NamedThread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::vector<const Running*> running_;
  bool asleep_ = false;
  bool ended_ = false;
  bool told_ = false;
  std::optional<std::chrono::steady_clock::time_point> given_up_since_;
};

}  // namespace pyhost::apache
