#include "os/activation.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "base/parse.h"

namespace pyhost::os {
namespace {

std::string taken(const char* name) {
  const char* value = getenv(name);
  std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

}  // namespace

base::Result<std::vector<base::UniqueFd>> take_activated_sockets() {
  const std::string pid = taken("LISTEN_PID"), count = taken("LISTEN_FDS");
  taken("LISTEN_FDNAMES");
  if (pid.empty() && count.empty()) return {};
  constexpr std::uint64_t kCountMax = 1000;
  const auto number = base::parse_unsigned(count);
  const auto receiver = base::parse_unsigned(pid);
  if (!number || *number > kCountMax || !receiver) {
    return base::fail(fmt::format(
        "LISTEN_PID={} and LISTEN_FDS={} are no word of a service manager", pid, count));
  }
  if (*receiver != static_cast<std::uint64_t>(getpid())) return {};
  constexpr int kFirst = 3;
  std::vector<base::UniqueFd> sockets;
  for (int fd = kFirst; fd < kFirst + static_cast<int>(*number); ++fd) {
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
      return base::fail(fmt::format("LISTEN_FDS={}: there is no descriptor {}", count, fd));
    }
    sockets.emplace_back(fd);
  }
  return sockets;
}

}  // namespace pyhost::os
