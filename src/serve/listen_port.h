// Where the server listens, and whether it can.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pyhost/base/result.h"
#include "serve/server_plan.h"

namespace pyhost::serve {

// What begins an address of the unix domain.
inline constexpr std::string_view kUnix = "unix:";

// The addresses of --bind, or that of --host and --port, as they are written. Fails for a --bind
// that is none. Pure.
base::Result<std::vector<ListenAddress>> listen_addresses(const ServeOptions& options);

// The port itself when a server can listen there, or a free one for 0. Fails with a sentence when
// the port is in use, not allowed or the host is no address of this machine.
base::Result<int> find_listen_port(const ServeOptions& options, const std::string& host, int port);

}  // namespace pyhost::serve
