// A client's connection, as httpd has it.
#pragma once

#include "apache/httpd_api.h"
#include "pyhost/gateway/client_exchange.h"

namespace pyhost::apache {

// Its socket, or why there is none.
gateway::ClientSocket socket_of(conn_rec* c);

// What httpd's MPMs do with the rest of a reply once its handler has returned: it leaves as far as
// that goes without waiting.
void write_what_is_left(conn_rec* c);

}  // namespace pyhost::apache
