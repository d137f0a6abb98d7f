// The end of connections that the MPM has let go of.
#pragma once

#include "apache/httpd_api.h"

namespace pyhost::apache {

// Logs the request and closes its connection, as the MPM does for those that it has: with FIN and a
// moment for the client to take it, or at once where it is not orderly. Neither is to be used any
// more. Waits only shortly for a client.
void end_suspended_request(request_rec* r, bool is_orderly);

// Whether the client has closed its side of a connection that httpd has, too. What it still sends
// is dropped.
bool has_closed(int client_fd) noexcept;

// Frees it in a thread of httpd.
void close_suspended_later(conn_rec* c);

}  // namespace pyhost::apache
