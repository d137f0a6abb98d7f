#include "serve/group_call.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "os/unix_socket.h"

namespace pyhost::serve {

base::Result<GroupCall> GroupCall::begin(const std::string& socket,
                                         const control::OperatorRequest& request) {
  PH_TRY(address, os::UnixAddress::of(socket));
  base::UniqueFd connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const std::string line = to_json(request) + "\n";
  const bool sent = connection.valid() && address.connect(connection.get()) &&
                    send(connection.get(), line.data(), line.size(), MSG_NOSIGNAL) ==
                        static_cast<ssize_t>(line.size());
  if (!sent) return base::fail(std::strerror(errno));
  return GroupCall(std::move(connection));
}

std::optional<base::Result<std::string>> GroupCall::read_answer() {
  std::array<char, 16'384> buffer;
  while (true) {
    const ssize_t got = recv(connection_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return std::nullopt;
    if (got <= 0) break;
    text_.append(buffer.data(), static_cast<std::size_t>(got));
  }
  if (!text_.ends_with('\n')) return base::fail("pyhost-supervisor has ended without an answer");
  text_.pop_back();
  return std::move(text_);
}

}  // namespace pyhost::serve
