#include "os/service_manager.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace pyhost::os {
namespace {

constexpr char kVariable[] = "NOTIFY_SOCKET";

std::string in_one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

}  // namespace

std::string to_text(const Notification& notification) {
  std::string text;
  switch (notification.state) {
    case Notification::State::unchanged:
      break;
    case Notification::State::ready:
      text += "READY=1\n";
      break;
    case Notification::State::reloading:
      text += fmt::format("RELOADING=1\nMONOTONIC_USEC={}\n", notification.reloading_since.count());
      break;
    case Notification::State::stopping:
      text += "STOPPING=1\n";
      break;
  }
  if (!notification.status.empty()) {
    text += fmt::format("STATUS={}\n", in_one_line(notification.status));
  }
  if (notification.main_pid) text += fmt::format("MAINPID={}\n", *notification.main_pid);
  if (notification.extended_timeout) {
    text += fmt::format("EXTEND_TIMEOUT_USEC={}\n", notification.extended_timeout->count());
  }
  return text;
}

std::chrono::microseconds monotonic_now() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

base::Result<std::optional<ServiceManager>> ServiceManager::take_from_environment() {
  const char* value = getenv(kVariable);
  const std::string path = value == nullptr ? "" : value;
  unsetenv(kVariable);
  if (path.empty()) return std::nullopt;
  sockaddr_un address{};
  const bool is_abstract = path.front() == '@';
  if ((path.front() != '/' && !is_abstract) || path.size() >= sizeof address.sun_path) {
    return base::fail(
        fmt::format("{}={} is no address of a service manager: an absolute path or "
                    "@name of at most {} bytes is one",
                    kVariable, path, sizeof address.sun_path - 1));
  }
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  if (is_abstract) address.sun_path[0] = '\0';
  // The name of an abstract socket has no NUL at its end.
  const auto length = offsetof(sockaddr_un, sun_path) + path.size() + (is_abstract ? 0 : 1);
  base::UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return base::fail(fmt::format("socket: {}", std::strerror(errno)));
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  return ServiceManager(std::move(fd), address, static_cast<socklen_t>(length));
}

base::Result<> ServiceManager::notify(const Notification& notification) const {
  const std::string text = to_text(notification);
  const ssize_t sent = sendto(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&address_), length_);
  if (sent == static_cast<ssize_t>(text.size())) return {};
  return base::fail(fmt::format("the service manager could not be told: {}", std::strerror(errno)));
}

}  // namespace pyhost::os
