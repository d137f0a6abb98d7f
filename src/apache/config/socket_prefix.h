// Where the sockets of workers and of operators are.
#pragma once

#include <string>

#include "apache/httpd_api.h"

namespace pyhost::apache {

// WSGISocketPrefix as an absolute path, or its default.
std::string configured_socket_prefix(apr_pool_t* pool);

}  // namespace pyhost::apache
