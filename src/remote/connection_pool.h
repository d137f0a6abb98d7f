// A httpd child's open connections to the workers of one process group.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "pyhost/base/result.h"
#include "pyhost/gateway/exchange.h"
#include "remote/admission.h"
#include "wire/connection.h"

namespace pyhost::remote {

// A connection with the buffers that each of its exchanges uses again.
struct Line {
  Line(base::UniqueFd socket, const Worker& wanted)
      : connection(std::move(socket), wire::Descriptors::accepted),
        pid(wanted.pid),
        generation(wanted.generation) {}

  wire::Connection connection;
  bool used = false;        // by an exchange
  bool introduced = false;  // the worker that has accepted it has said who it is
  // Until then, of the worker it was made for.
  pid_t pid;
  std::uint32_t generation;
  wire::FrameBatch batch;
  std::vector<gateway::Header> headers;
};

// Safe for all threads of the child. The settings outlive it.
class ConnectionPool {
 public:
  explicit ConnectionPool(const RemoteSettings& settings)
      : settings_(settings), idle_(settings.socket_paths.size()) {}

  // A connection to that worker: one that is idle, which the worker may have closed, or a new one.
  // Waits at most for connect-timeout.
  base::Result<std::unique_ptr<Line>> take(const Worker& worker);
  // Only a connection whose exchange is over in good order.
  void give_back(metrics::SlotId slot, std::unique_ptr<Line> line);
  void close_idle();

 private:
  base::Result<std::unique_ptr<Line>> connect(const Worker& worker) const;

  const RemoteSettings& settings_;
  std::mutex mutex_;
  std::vector<std::vector<std::unique_ptr<Line>>> idle_;  // by slot
};

}  // namespace pyhost::remote
