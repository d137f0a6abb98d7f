// Listening sockets that httpd has from whoever has started it.
#pragma once

#include "apache/httpd_api.h"

namespace pyhost::apache {

// A hook before the MPM opens the sockets of Listen lines: those that PYHOST_LISTENERS names are
// given the sockets that are there already, which httpd keeps over restarts as its own. Takes the
// variable out of the environment. httpd does not start when a socket is not what it should be.
int adopt_listeners(apr_pool_t* pconf, apr_pool_t* plog, apr_pool_t* ptemp, server_rec* s);

// A hook at the begin of a connection: a client of a unix socket has no address, and gets the name
// "unix:" for logs and REMOTE_ADDR. Whatever compares addresses takes it for no address of its
// list.
int name_unix_client(conn_rec* c, void* socket);

}  // namespace pyhost::apache
