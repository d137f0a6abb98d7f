// Looks for the port before httpd does.
#pragma once

#include <string>

#include "pyhost/base/result.h"

namespace pyhost::serve {

// The port itself when a server can listen there, or a free one for 0. Fails with a sentence when
// the port is in use, not allowed or the host is no address of this machine.
base::Result<int> find_listen_port(const std::string& host, int port);

}  // namespace pyhost::serve
