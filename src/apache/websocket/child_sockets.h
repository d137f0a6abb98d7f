// The WebSockets of a child of httpd.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "apache/httpd_api.h"
#include "apache/websocket/relay_thread.h"
#include "apache/websocket/socket_places.h"

namespace pyhost::apache {

// Whether the child is to end.
enum class Stopping { no, gracefully, at_once };

// What bounds the sockets of a child under this configuration. Once the MPM has been chosen.
ChildCapacity child_capacity();

// One per child, in the child's pool. For all of its threads.
class ChildSockets {
 public:
  ChildSockets(const ChildCapacity& capacity, SharedPlaces* shared_or_null) noexcept
      : places_(capacity, shared_or_null) {}

  // In httpd's parent, for the children of this configuration.
  static base::Result<> prepare(apr_pool_t* pconf);
  // When the child starts, before it has requests.
  static void start(apr_pool_t* pchild);
  static ChildSockets& of_this_child() noexcept;
  // child_stopping
  static void note_stopping(apr_pool_t* pchild, int graceful);

  SocketPlaces& places() noexcept { return places_; }
  Stopping stopping() const noexcept;

  // Whether there is a thread that relays; starts it at the first call. What keeps it from that is
  // logged once.
  bool start_relaying();
  // PRECONDITION of both: there is one.
  void relay(std::unique_ptr<SuspendedSocket> socket) { thread_->adopt(std::move(socket)); }
  void linger(conn_rec* c) { thread_->linger(c); }

 private:
  void stop(Stopping how);

  SocketPlaces places_;
  std::atomic<Stopping> stopping_ = Stopping::no;
  std::mutex starting_;
  bool failed_ = false;                   // guarded by it
  std::unique_ptr<RelayThread> thread_;   // set once, under it
  std::atomic<bool> has_thread_ = false;  // that is seen by all from then on
};

}  // namespace pyhost::apache
