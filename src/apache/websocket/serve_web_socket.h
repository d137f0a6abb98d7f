// Serves requests that ask for a WebSocket.
#pragma once

#include "apache/request/request_run.h"

namespace pyhost::apache {

// Refuses it when the child holds as many sockets as it may. Otherwise has it run, and if a stream
// comes of it, lets the thread go, where httpd can do without it, or stays until the stream's end.
// Returns what the handler must. The run is in the request's pool.
int serve_web_socket(RequestRun& run);

// suspend_connection: the thread of such a request has been let go.
void note_suspended_connection(conn_rec* c, request_rec* r_or_null);

}  // namespace pyhost::apache
