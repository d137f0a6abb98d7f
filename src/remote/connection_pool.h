// A httpd child's open connections to the workers of one process group.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pyhost/base/result.h"
#include "pyhost/gateway/client_exchange.h"
#include "remote/admission.h"
#include "remote/setback.h"
#include "wire/connection.h"

namespace pyhost::remote {

// A connection with the buffers that each of its exchanges uses again.
struct PooledConnection {
  explicit PooledConnection(base::UniqueFd socket)
      : connection(std::move(socket), wire::Descriptors::accepted) {}

  wire::Connection connection;
  bool greeted = false;  // GREETING has been sent
  bool used = false;     // by an exchange
  std::chrono::steady_clock::time_point idle_since{};
  Worker worker;               // that has accepted it
  std::uint32_t capacity = 1;  // of that one, as it says: how many requests it takes at a time
  wire::FrameBatch batch;
  std::vector<gateway::Header> headers;
  std::vector<gateway::Annotation> annotations;
};

// Safe for all threads of the child. Scoreboard and settings outlive it.
class ConnectionPool {
 public:
  ConnectionPool(const scoreboard::Scoreboard& scoreboard, const RemoteSettings& settings)
      : scoreboard_(scoreboard), settings_(settings), idle_(settings.socket_paths.size()) {}

  // A connection to that worker: one that is idle, which the worker may have closed, or a new one,
  // which its predecessor or successor in the slot may have accepted. Waits for that as long as the
  // worker is in its slot, no other one could be had instead and the client is there, but at most
  // for connect-timeout, or a second if that is more, and for the admission's patience.
  tl::expected<std::unique_ptr<PooledConnection>, Setback> take(const Worker& worker,
                                                                Admission& admission,
                                                                base::LogSink& log);
  // Only a connection whose exchange is over in good order. It is kept for a while, unless there
  // are as many idle ones as the worker takes requests.
  void give_back(std::uint32_t slot, std::unique_ptr<PooledConnection> pooled);

 private:
  using Connections = std::vector<std::unique_ptr<PooledConnection>>;

  Connections remove_old_locked(std::chrono::steady_clock::time_point now);
  tl::expected<std::unique_ptr<PooledConnection>, Setback> connect(const Worker& worker) const;
  tl::expected<void, Setback> await_hello(PooledConnection& pooled, const Worker& worker,
                                          Admission& admission, base::LogSink& log) const;
  tl::expected<void, Setback> meet(PooledConnection& pooled, const Worker& worker,
                                   const wire::Frame& frame, Admission& admission,
                                   base::LogSink& log) const;
  tl::expected<void, Setback> believe(PooledConnection& pooled, const Worker& worker,
                                      const Worker& accepting, base::LogSink& log) const;
  bool has_left(const Worker& worker) const noexcept;

  const scoreboard::Scoreboard& scoreboard_;
  const RemoteSettings& settings_;
  std::mutex mutex_;
  std::vector<Connections> idle_;  // by slot, the one that has been idle for the longest first
  std::chrono::steady_clock::time_point next_look_{};
};

}  // namespace pyhost::remote
