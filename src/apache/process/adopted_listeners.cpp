#include "apache/process/adopted_listeners.h"

#include <ap_listen.h>
#include <apr_portable.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "apache/log.h"
#include "apache/pool.h"
#include "control/passed_listeners.h"

namespace pyhost::apache {
namespace {

using control::PassedListener;

// As a Listen line has it, with the port.
std::string address_of(const ap_listen_rec& listener) {
  char* ip = nullptr;
  apr_sockaddr_ip_get(&ip, listener.bind_addr);
  const bool is_ipv6 = listener.bind_addr->family == AF_INET6;
  return fmt::format("{}{}{}:{}", is_ipv6 ? "[" : "", view_or_empty(ip), is_ipv6 ? "]" : "",
                     listener.bind_addr->port);
}

ap_listen_rec* find_listener(const std::string& address) {
  for (ap_listen_rec* each = ap_listeners; each != nullptr; each = each->next) {
    if (each->bind_addr != nullptr && address_of(*each) == address) return each;
  }
  return nullptr;
}

tl::unexpected<base::Error> refused(const PassedListener& listener, std::string_view why) {
  return base::fail(fmt::format("{}: {}={}: {}", control::kListenersVariable, listener.fd,
                                listener.address, why));
}

int option_of(int fd, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  return getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

// Where a socket is bound; fails for what httpd cannot accept connections from.
base::Result<sockaddr_storage> look_at(const PassedListener& listener) {
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  if (getsockname(listener.fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) {
    return refused(listener, std::strerror(errno));
  }
  constexpr int kFamilies[] = {AF_INET, AF_INET6, AF_UNIX};
  const bool known = std::ranges::find(kFamilies, bound.ss_family) != std::end(kFamilies);
  if (!known || option_of(listener.fd, SO_TYPE) != SOCK_STREAM ||
      option_of(listener.fd, SO_ACCEPTCONN) != 1) {
    return refused(listener, "this is no stream socket that somebody listens with");
  }
  return bound;
}

base::Result<> adopt(const PassedListener& passed, apr_pool_t* process_pool) {
  ap_listen_rec* const listener = find_listener(passed.address);
  if (listener == nullptr) return refused(passed, "no Listen line has this address");
  PH_TRY(bound, look_at(passed));
  // No program that this process starts gets it. What httpd thinks of it begins as it does for a
  // socket of its own: it blocks.
  fcntl(passed.fd, F_SETFD, FD_CLOEXEC);
  fcntl(passed.fd, F_SETFL, fcntl(passed.fd, F_GETFL) & ~O_NONBLOCK);
  const bool is_unix = bound.ss_family == AF_UNIX;
  // The address of connections over a unix socket, by which httpd chooses a virtual host, is that
  // of the Listen line.
  auto* address = is_unix ? reinterpret_cast<sockaddr*>(&listener->bind_addr->sa.sin)
                          : reinterpret_cast<sockaddr*>(&bound);
  int fd = passed.fd;
  apr_os_sock_info_t info{.os_sock = &fd,
                          .local = address,
                          .remote = nullptr,
                          .family = address->sa_family,
                          .type = SOCK_STREAM,
                          .protocol = 0};
  apr_socket_close(listener->sd);
  apr_os_sock_make(&listener->sd, &info, process_pool);
  // Otherwise httpd would set an option of TCP, see AcceptFilter. It outlives this module.
  if (is_unix) listener->protocol = apr_pstrdup(process_pool, "unix");
  if (!is_unix) apr_socket_opt_set(listener->sd, APR_TCP_NODELAY, 1);
  listener->accept_func = nullptr;
  listener->active = 1;
  return {};
}

base::Result<> adopt_all(std::string_view text, apr_pool_t* process_pool) {
  PH_TRY(listeners, control::parse_passed_listeners(text));
  for (const PassedListener& each : listeners) PH_TRY_VOID(adopt(each, process_pool));
  return {};
}

}  // namespace

int adopt_listeners(apr_pool_t*, apr_pool_t*, apr_pool_t*, server_rec* s) {
  const char* value = getenv(control::kListenersVariable);
  if (value == nullptr) return OK;
  const std::string text = value;
  // The descriptors are not to be taken for others of these numbers after a restart.
  unsetenv(control::kListenersVariable);
  const auto adopted = adopt_all(text, s->process->pool);
  if (adopted) return OK;
  log_server(s, base::LogLevel::emerg, base::Message::listener_refused, adopted.error().sentence);
  return HTTP_INTERNAL_SERVER_ERROR;
}

int name_unix_client(conn_rec* c, void*) {
  if (c->client_addr == nullptr || c->client_addr->family != AF_UNIX) return OK;
  // The kernel gives a client without a name no bytes for one, and APR passes on what was there.
  c->client_addr->sa.unx.sun_path[0] = '\0';
  c->client_addr->port = 0;
  c->client_ip = apr_pstrdup(c->pool, "unix:");
  return OK;
}

}  // namespace pyhost::apache
