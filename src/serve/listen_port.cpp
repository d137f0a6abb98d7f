#include "serve/listen_port.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "base/parse.h"
#include "pyhost/base/unique_fd.h"
#include "serve/paths.h"

namespace pyhost::serve {
namespace {

std::string reason_of(const ServeOptions& options, int code, const std::string& host, int port) {
  const bool bound = !options.bind.empty();
  const std::string option = options.named(bound ? "bind" : "port");
  const std::string place = host.empty() ? "every address" : host;
  if (code == EADDRINUSE) {
    return fmt::format("{} {}: the port is in use by another program on {}; name another one",
                       option, port, place);
  }
  if (code == EACCES) {
    return fmt::format("{} {}: the port is for root only; name one from 1024 on", option, port);
  }
  if (code == EADDRNOTAVAIL) {
    return fmt::format("{} {} is not an address of this machine",
                       options.named(bound ? "bind" : "host"), host);
  }
  return fmt::format("{}: listening on port {} of {}: {}", option, port, place,
                     std::strerror(code));
}

std::optional<ListenAddress> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  const auto port = base::parse_unsigned(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  if (in_brackets) host = host.substr(1, host.size() - 2);
  if (!in_brackets && host.find(':') != host.npos) return std::nullopt;
  if (host == "*") host = "";
  constexpr std::uint64_t kPortMax = 65535;
  if (!port || *port > kPortMax) return std::nullopt;
  return ListenAddress{std::string(host), static_cast<int>(*port)};
}

int port_of(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

// No server can listen on these ports by chance.
ListenAddress unix_address(std::string path, int number) {
  return {.host = "127.0.0.1", .port = number, .unix_path = std::move(path)};
}

base::Result<std::vector<ListenAddress>> listen_addresses(const ServeOptions& options) {
  if (options.bind.empty()) return std::vector{ListenAddress{options.host, options.port}};
  std::vector<ListenAddress> addresses;
  int unix_sockets = 0;
  for (const std::string& text : options.bind) {
    if (text.starts_with(kUnix) && text.size() > kUnix.size()) {
      addresses.push_back(unix_address(absolute_path(text.substr(kUnix.size())), ++unix_sockets));
      continue;
    }
    const auto address = parse_address(text);
    if (!address) {
      return base::fail(
          fmt::format("{} {}: ADDRESS:PORT is needed, such as 127.0.0.1:8000, [::1]:8000 or :8000, "
                      "or unix:PATH",
                      options.named("bind"), text));
    }
    addresses.push_back(*address);
  }
  return addresses;
}

base::Result<int> find_listen_port(const ServeOptions& options, const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(),
                               &hints, &found);
  if (code != 0) {
    return base::fail(fmt::format("{} {}: {}",
                                  options.named(options.bind.empty() ? "host" : "bind"), host,
                                  gai_strerror(code)));
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
    return base::fail(reason_of(options, errno, host, port));
  }
  return port_of(bound);
}

}  // namespace pyhost::serve
