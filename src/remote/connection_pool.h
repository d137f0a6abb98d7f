// A httpd child's open connections to the workers of one process group.
#pragma once

#include <memory>
#include <mutex>
#include <string>
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

// Why there is no connection to a worker.
struct NoLine {
  enum class Kind {
    unreachable,  // the worker: there is no use in trying again
    hindered,     // for the moment, which is nothing against the worker
  };
  Kind kind = Kind::unreachable;
  std::string why;
};

// Safe for all threads of the child. The settings outlive it.
class ConnectionPool {
 public:
  explicit ConnectionPool(const RemoteSettings& settings)
      : settings_(settings), idle_(settings.socket_paths.size()) {}

  // A connection to that worker: one that is idle, which the worker may have closed, or a new one.
  tl::expected<std::unique_ptr<Line>, NoLine> take(const Worker& worker);
  // Only a connection whose exchange is over in good order.
  void give_back(metrics::SlotId slot, std::unique_ptr<Line> line);
  void close_idle();

 private:
  tl::expected<std::unique_ptr<Line>, NoLine> connect(const Worker& worker) const;

  const RemoteSettings& settings_;
  std::mutex mutex_;
  std::vector<std::vector<std::unique_ptr<Line>>> idle_;  // by slot
};

}  // namespace pyhost::remote
