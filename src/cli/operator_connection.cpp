#include "cli/operator_connection.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

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
  const std::string request = line + '\n';
  const ssize_t sent = send(connection.get(), request.data(), request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request.size())) return unreachable(path);
  std::string answer;
  std::array<char, 16384> buffer;
  while (true) {
    const ssize_t got = recv(connection.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    answer.append(buffer.data(), got);
  }
  if (!answer.ends_with('\n')) {
    return base::fail(fmt::format("the supervisor at {} has ended without an answer", path));
  }
  answer.pop_back();
  return answer;
}

}  // namespace pyhost::cli
