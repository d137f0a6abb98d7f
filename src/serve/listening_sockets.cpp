#include "serve/listening_sockets.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "serve/config_words.h"

namespace pyhost::serve {
namespace {

constexpr int kBacklog = 511;  // httpd's own
constexpr mode_t kForEverybody = 0666;

std::string unix_path_of(const sockaddr_storage& address, socklen_t length) {
  const auto& bound = reinterpret_cast<const sockaddr_un&>(address);
  const bool has_path = length > offsetof(sockaddr_un, sun_path) && bound.sun_path[0] != '\0';
  return has_path ? bound.sun_path : "(without a path)";
}

// Whether somebody accepts connections at the path.
bool is_in_use(const os::UnixAddress& address) {
  const base::UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return address.connect(probe.get()) || errno == EAGAIN;
}

}  // namespace

ListeningSockets::ListeningSockets(std::vector<base::UniqueFd> activated)
    : sockets_(std::move(activated)) {}

base::Result<std::vector<ListenAddress>> ListeningSockets::activated_addresses() const {
  std::vector<ListenAddress> addresses;
  int unix_sockets = 0;
  for (const base::UniqueFd& each : sockets_) {
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> port{};
    auto* const address = reinterpret_cast<sockaddr*>(&bound);
    if (getsockname(each.get(), address, &length) != 0) {
      return base::fail(
          fmt::format("LISTEN_FDS: descriptor {}: {}", each.get(), std::strerror(errno)));
    }
    if (bound.ss_family == AF_UNIX) {
      addresses.push_back(unix_address(unix_path_of(bound, length), ++unix_sockets));
    } else if (getnameinfo(address, length, host.data(), host.size(), port.data(), port.size(),
                           NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
      addresses.push_back({.host = host.data(), .port = std::stoi(port.data())});
    } else {
      return base::fail(fmt::format(
          "LISTEN_FDS: descriptor {} is no socket that a server listens with", each.get()));
    }
    addresses.back().fd = each.get();
  }
  return addresses;
}

base::Result<> ListeningSockets::open(const std::string& option, ListenAddress& address) {
  const std::string& path = address.unix_path;
  const auto refuse = [&](std::string_view why) {
    return base::fail(fmt::format("{} unix:{}: {}", option, path, why));
  };
  const auto name = os::UnixAddress::of(path);
  if (!name) return refuse(name.error().sentence);
  struct stat status {};
  const bool is_there = lstat(path.c_str(), &status) == 0;
  if (is_there && !S_ISSOCK(status.st_mode)) return refuse("something else has this name");
  if (is_there && is_in_use(*name)) return refuse("another program listens there");
  base::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto file = os::SocketFile::bind(fd.get(), path);
  if (!file) return refuse(file.error().sentence);
  if (listen(fd.get(), kBacklog) != 0 || chmod(path.c_str(), kForEverybody) != 0) {
    return refuse(std::strerror(errno));
  }
  address.fd = fd.get();
  sockets_.push_back(std::move(fd));
  files_.push_back(*std::move(file));
  return {};
}

std::vector<control::PassedListener> ListeningSockets::passed(
    const std::vector<ListenAddress>& addresses) {
  std::vector<control::PassedListener> listeners;
  for (const ListenAddress& each : addresses) {
    if (each.fd >= 0) listeners.push_back({each.fd, host_and_port(each.host, each.port)});
  }
  return listeners;
}

}  // namespace pyhost::serve
