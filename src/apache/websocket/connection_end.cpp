#include "apache/websocket/connection_end.h"

#include <sys/socket.h>

#include <cerrno>

#include "apache/guarded.h"
#include "apache/request/client_connection.h"
#include "apache/websocket/child_sockets.h"

namespace pyhost::apache {
namespace {

// A client that does not take the last record of TLS keeps a thread no longer than that.
constexpr apr_interval_time_t kFlushMax = apr_time_from_sec(1);

// The MPM counts its connections by their states, as it frees their pools.
void close_suspended(void* connection) {
  auto* c = static_cast<conn_rec*>(connection);
  c->cs->state = CONN_STATE_SUSPENDED;
  apr_pool_destroy(c->pool);
}

}  // namespace

void close_suspended_later(conn_rec* c) {
  constexpr auto callback = guarded<&close_suspended>;
  if (ap_mpm_register_timed_callback(0, callback, c) != APR_SUCCESS) close_suspended(c);
}

bool has_closed(int client_fd) noexcept {
  constexpr int kPiecesMax = 16;
  char dropped[4096];
  for (int i = 0; i < kPiecesMax; ++i) {
    const ssize_t bytes = ::recv(client_fd, dropped, sizeof dropped, MSG_DONTWAIT);
    if (bytes == 0) return true;
    if (bytes < 0 && errno != EINTR) return errno != EAGAIN && errno != EWOULDBLOCK;
  }
  return false;
}

void end_suspended_request(request_rec* r, bool is_orderly) {
  conn_rec* c = r->connection;
  if (!is_orderly) c->aborted = 1;
  if (apr_socket_t* socket = ap_get_conn_socket(c)) apr_socket_timeout_set(socket, kFlushMax);
  ap_process_request_after_handler(r);
  const bool is_half_open = ap_start_lingering_close(c) == 0;
  const int client = socket_of(c).fd;
  if (is_half_open && client >= 0 && !has_closed(client)) {
    ChildSockets::of_this_child().linger(c);
  } else {
    close_suspended(c);
  }
}

}  // namespace pyhost::apache
