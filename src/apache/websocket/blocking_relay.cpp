#include "apache/websocket/blocking_relay.h"

#include <poll.h>

#include <algorithm>
#include <iterator>

#include "apache/websocket/child_sockets.h"
#include "apache/websocket/client_stream.h"
#include "apache/websocket/stream_relay.h"
#include "base/clock.h"

namespace pyhost::apache {
namespace {

using base::Clock;
using Wants = StreamRelay::Wants;

// Between two looks at what no descriptor tells: that the worker has died, that a HTTP/2 stream was
// reset, that the child is to end.
constexpr std::chrono::milliseconds kLookInterval{250};

void wait(const Wants& wants, int client_fd, int worker_fd, base::TimePoint until) {
  pollfd ends[] = {{.fd = client_fd, .events = 0, .revents = 0},
                   {.fd = worker_fd, .events = 0, .revents = 0}};
  auto& [client, worker] = ends;
  if (wants.client_in) client.events |= POLLIN;
  if (wants.client_out) client.events |= POLLOUT;
  if (wants.worker_in) worker.events |= POLLIN;
  if (wants.worker_out) worker.events |= POLLOUT;
  // A hang-up shows unasked, and again and again.
  for (pollfd& end : ends) {
    if (end.events == 0) end.fd = -1;
  }
  ::poll(ends, std::size(ends), base::poll_timeout(std::optional(until)));
}

}  // namespace

StreamTotals relay_blocking(conn_rec* c, gateway::Tunnel& tunnel) {
  ClientStream client(c);
  StreamRelay relay(client, tunnel);
  while (true) {
    const auto now = Clock::now();
    static_cast<void>(tunnel.worker_has_died());
    switch (ChildSockets::of_this_child().stopping()) {
      case Stopping::no:
        break;
      case Stopping::gracefully:
        relay.leave(gateway::Leaving::restart, now);
        break;
      case Stopping::at_once:
        relay.cut(gateway::StreamEnding::stopped);
        break;
    }
    const Wants wants = relay.step(now);
    if (relay.over()) break;
    const auto next_look = now + kLookInterval;
    if (!wants.at_once) {
      wait(wants, client.fd(), tunnel.fd(), std::min(next_look, relay.due().value_or(next_look)));
    }
  }
  return {.ending = *relay.over(),
          .client_has_all = relay.client_has_all() && relay.over() == gateway::StreamEnding::worker,
          .bytes_from_client = relay.bytes_from_client(),
          .bytes_to_client = relay.bytes_to_client()};
}

}  // namespace pyhost::apache
