// Findings about how much httpd and its process groups take, and what of the machine.
#pragma once

#include "apache/check/applications.h"
#include "apache/check/findings.h"

namespace pyhost::apache {

// Fewer requests at a time in httpd than its groups could serve, connections that are refused while
// groups are idle, applications in httpd's children of which there are many.
void find_lacking_capacity(const server_rec* main_server,
                           const std::vector<Application>& applications, Findings& findings);

// HTTP/2 that the prefork MPM does not serve.
void find_prefork_with_http2(const server_rec* main_server, Findings& findings);

// A folder of sockets in which others than root can put files.
void find_open_socket_folder(const server_rec* main_server, Findings& findings);

}  // namespace pyhost::apache
