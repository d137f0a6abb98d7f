// A client of a unix socket.
#pragma once

#include <sys/un.h>

#include <string>

#include "pyhost/base/unique_fd.h"

namespace pyhost::test {

// Reading from it fails after 20 s without a byte: where nobody accepts, the kernel does.
base::UniqueFd unix_socket(int type);
sockaddr_un unix_address(const std::string& path);

// The whole reply to a request for that URL on shop.test, or "" when nobody listens at the path.
std::string ask_unix(const std::string& path, const std::string& url);

}  // namespace pyhost::test
