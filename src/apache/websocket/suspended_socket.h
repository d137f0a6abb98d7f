// A WebSocket that no thread of httpd is busy with.
#pragma once

#include <memory>

#include "apache/httpd_api.h"
#include "apache/request/request_run.h"
#include "apache/websocket/client_stream.h"
#include "apache/websocket/socket_places.h"
#include "apache/websocket/stream_relay.h"
#include "base/clock.h"

namespace pyhost::apache {

// Made by the handler, which then returns SUSPENDED. From when httpd has let the thread go until
// end(), request and connection are used by the relay's thread alone.
class SuspendedSocket {
 public:
  // The run is in the request's pool.
  SuspendedSocket(RequestRun& run, std::unique_ptr<gateway::Tunnel> tunnel, SocketPlace place);

  // httpd has let the thread go, or is about to return from that.
  void note_suspended() noexcept { suspended_at_ = base::Clock::now(); }

  StreamRelay& relay() noexcept { return relay_; }
  gateway::Tunnel& tunnel() noexcept { return *tunnel_; }
  int client_fd() const noexcept { return client_.fd(); }
  int worker_fd() const noexcept { return tunnel_->fd(); }

  // Not to be ended before: behind suspend_connection the MPM writes to its record of the
  // connection twice more, and no module is told when it has.
  base::TimePoint settled_at() const noexcept { return suspended_at_ + kSettling; }

  // The stream is over: has httpd end the request, which is logged then, and the connection, in one
  // of its own threads.
  static void end(std::unique_ptr<SuspendedSocket> socket);

 private:
  static constexpr std::chrono::milliseconds kSettling{100};

  static void finish(std::unique_ptr<SuspendedSocket> socket);
  static void finish_in_httpd(void* socket);

  RequestRun& run_;
  std::unique_ptr<gateway::Tunnel> tunnel_;
  const SocketPlace place_;
  ClientStream client_;
  StreamRelay relay_;
  base::TimePoint suspended_at_{};
};

}  // namespace pyhost::apache
