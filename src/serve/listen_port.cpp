#include "serve/listen_port.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "pyhost/base/unique_fd.h"

namespace pyhost::serve {
namespace {

std::string reason_of(int code, const std::string& host, int port) {
  if (code == EADDRINUSE) {
    return fmt::format("port {} of {} is in use by another program; name another one with --port",
                       port, host);
  }
  if (code == EACCES) {
    return fmt::format("port {} is for root only; name one from 1024 on with --port", port);
  }
  if (code == EADDRNOTAVAIL) {
    return fmt::format("--host {} is not an address of this machine", host);
  }
  return fmt::format("listening on port {} of {}: {}", port, host, std::strerror(code));
}

int port_of(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

base::Result<int> find_listen_port(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0) {
    return base::fail(fmt::format("--host {}: {}", host, gai_strerror(code)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, freeaddrinfo);

  const base::UniqueFd probe(socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  if (!probe.valid() || bind(probe.get(), list->ai_addr, list->ai_addrlen) != 0 ||
      listen(probe.get(), 1) != 0 ||
      getsockname(probe.get(), reinterpret_cast<sockaddr*>(&bound), &length) != 0) {
    return base::fail(reason_of(errno, host, port));
  }
  return port_of(bound);
}

}  // namespace pyhost::serve
