#include "apache/websocket/suspended_socket.h"

#include "apache/guarded.h"
#include "apache/websocket/connection_end.h"

namespace pyhost::apache {

SuspendedSocket::SuspendedSocket(RequestRun& run, std::unique_ptr<gateway::Tunnel> tunnel,
                                 SocketPlace place)
    : run_(run),
      tunnel_(std::move(tunnel)),
      place_(std::move(place)),
      client_(run.request()->connection),
      relay_(client_, *tunnel_) {}

// Due at once: the event MPM of httpd 2.4 may sleep through what is due later.
void SuspendedSocket::end(std::unique_ptr<SuspendedSocket> socket) {
  constexpr auto callback = guarded<&SuspendedSocket::finish_in_httpd>;
  if (ap_mpm_register_timed_callback(0, callback, socket.get()) == APR_SUCCESS) {
    static_cast<void>(socket.release());
  } else {
    finish(std::move(socket));
  }
}

void SuspendedSocket::finish_in_httpd(void* socket) {
  finish(std::unique_ptr<SuspendedSocket>(static_cast<SuspendedSocket*>(socket)));
}

// What belongs to the connection goes before it does.
void SuspendedSocket::finish(std::unique_ptr<SuspendedSocket> socket) {
  request_rec* r = socket->run_.request();
  const StreamRelay& relay = socket->relay_;
  const bool is_orderly = relay.over() == gateway::StreamEnding::worker && relay.client_has_all();
  socket->run_.finish_stream(socket->tunnel_->finish(*relay.over()), relay.bytes_from_client(),
                             relay.bytes_to_client());
  socket.reset();
  end_suspended_request(r, is_orderly);
}

}  // namespace pyhost::apache
