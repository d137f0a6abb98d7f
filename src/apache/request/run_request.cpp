#include "apache/request/run_request.h"

#include "apache/pool.h"
#include "apache/request/request_run.h"
#include "apache/websocket/serve_web_socket.h"
#include "apache/websocket/switching.h"
#include "pyhost/gateway/request_head.h"

namespace pyhost::apache {
namespace {

bool may_become_web_socket(const request_rec* r, const MappedRequest& request) {
  return request.group != nullptr && request.target.protocol != gateway::Protocol::wsgi &&
         web_socket_offer_of(r) == gateway::WebSocketOffer::valid;
}

}  // namespace

int run_request(request_rec* r, const MappedRequest& request) {
  if (!may_become_web_socket(r, request)) {
    RequestRun run(r, request);
    return run.finish(run.run());
  }
  // It may outlive the handler.
  const auto* kept = pool_new<MappedRequest>(r->pool, request);
  return serve_web_socket(*pool_new<RequestRun>(r->pool, r, *kept));
}

}  // namespace pyhost::apache
