#include "cli/operator_connection.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "control/operator_exchange.h"
#include "os/unix_socket.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::cli {
namespace {

tl::unexpected<base::Error> unreachable(const std::string& path) {
  if (errno == ENOENT || errno == ECONNREFUSED) {
    return base::fail(
        fmt::format("no supervisor listens at {}; httpd does not run, or has no process groups, or "
                    "its WSGISocketPrefix is another one (give --socket or --server-root)",
                    path));
  }
  if (errno == EACCES) {
    return base::fail(
        fmt::format("{} is only open to root and the user that started httpd, and for status and "
                    "metrics to the "
                    "group of WSGIMonitorGroup",
                    path));
  }
  return base::fail(fmt::format("{}: {}", path, std::strerror(errno)));
}

base::Result<base::UniqueFd> connect_to(const std::string& path) {
  PH_TRY(address, os::UnixAddress::of(path));
  base::UniqueFd connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!connection.valid() || !address.connect(connection.get())) return unreachable(path);
  return connection;
}

}  // namespace

base::Result<std::string> ask_supervisor(const std::string& path, const std::string& line) {
  PH_TRY(connection, connect_to(path));
  auto answer = control::exchange_lines(connection.get(), line, {});
  if (answer) return answer;
  return base::fail(fmt::format("the supervisor at {}: {}", path, answer.error().sentence));
}

}  // namespace pyhost::cli
