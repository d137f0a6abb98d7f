#include "apache/websocket/serve_web_socket.h"

#include <fmt/format.h>

#include <memory>

#include "apache/request/request_record.h"
#include "apache/websocket/blocking_relay.h"
#include "apache/websocket/child_sockets.h"
#include "apache/websocket/suspended_socket.h"

namespace pyhost::apache {
namespace {

using base::LogLevel;
using base::Message;

constexpr unsigned kRetryAfterSeconds = 10;

// Only where httpd has the connection in an event loop, and asks the handler itself, is SUSPENDED
// understood.
bool can_suspend(const request_rec* r) {
  const conn_rec* c = r->connection;
  int is_async = 0;
  if (ap_mpm_query(AP_MPMQ_IS_ASYNC, &is_async) != APR_SUCCESS || is_async == 0) return false;
  return c->cs != nullptr && c->master == nullptr && r->prev == nullptr && r->main == nullptr &&
         c->clogging_input_filters == 0 && c->aborted == 0;
}

int refuse(RequestRun& run, const SocketPlaces& places, HeldBy held_by) {
  run.exchange().log(LogLevel::warn, Message::web_sockets_exhausted, places.why_full(held_by));
  return run.finish({.kind = gateway::Outcome::Kind::refused,
                     .status = HTTP_SERVICE_UNAVAILABLE,
                     .retry_after_seconds = kRetryAfterSeconds,
                     .failure = gateway::FailureCause::web_sockets_exhausted});
}

// The request ends with the connection.
int serve_blocking(RequestRun& run, std::unique_ptr<gateway::Tunnel> tunnel) {
  conn_rec* c = run.request()->connection;
  const StreamTotals totals = relay_blocking(c, *tunnel);
  run.finish_stream(tunnel->finish(totals.ending), totals.bytes_from_client,
                    totals.bytes_to_client);
  if (!totals.client_has_all) c->aborted = 1;
  return OK;
}

// httpd has ended the request instead of letting go of it.
apr_status_t drop(void* data) {
  auto& record = *static_cast<RequestRecord*>(data);
  const std::unique_ptr<SuspendedSocket> socket(std::exchange(record.suspended_or_null, nullptr));
  return APR_SUCCESS;
}

int suspend(RequestRun& run, std::unique_ptr<gateway::Tunnel> tunnel, SocketPlace place) {
  auto socket = std::make_unique<SuspendedSocket>(run, std::move(tunnel), std::move(place));
  RequestRecord& record = record_of(run.request());
  apr_pool_cleanup_register(run.request()->pool, &record, drop, apr_pool_cleanup_null);
  record.suspended_or_null = socket.release();
  return SUSPENDED;
}

}  // namespace

int serve_web_socket(RequestRun& run) {
  ChildSockets& sockets = ChildSockets::of_this_child();
  const bool lets_go = can_suspend(run.request()) && sockets.start_relaying();
  const bool is_stream = run.request()->connection->master != nullptr;
  const HeldBy held_by = lets_go ? HeldBy::relay : is_stream ? HeldBy::stream : HeldBy::thread;
  auto place = sockets.places().take(held_by);
  if (!place) return refuse(run, sockets.places(), held_by);
  const gateway::Outcome outcome = run.run();
  auto tunnel = run.exchange().take_tunnel();
  if (tunnel == nullptr) return run.finish(outcome);
  run.begin_stream();
  if (lets_go && can_suspend(run.request())) {
    return suspend(run, std::move(tunnel), *std::move(place));
  }
  return serve_blocking(run, std::move(tunnel));
}

// httpd writes a little more to its own record of the connection when this has returned, which is
// why no end comes at once: see SuspendedSocket.
void note_suspended_connection(conn_rec*, request_rec* r_or_null) {
  if (r_or_null == nullptr || record_or_null(r_or_null) == nullptr) return;
  RequestRecord& record = record_of(r_or_null);
  std::unique_ptr<SuspendedSocket> socket(std::exchange(record.suspended_or_null, nullptr));
  if (socket != nullptr) ChildSockets::of_this_child().relay(std::move(socket));
}

}  // namespace pyhost::apache
