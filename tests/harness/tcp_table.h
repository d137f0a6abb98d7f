// The kernel's list of TCP connections.
#pragma once

namespace pyhost::test {

// Whether a process holds the server's end of a connection to this port of 127.0.0.1.
bool has_connections(int port);

}  // namespace pyhost::test
