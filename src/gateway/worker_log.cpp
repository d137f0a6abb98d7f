#include "pyhost/gateway/worker_log.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace pyhost::gateway {
namespace {

// A message with one byte, which nobody looks at, and room for one descriptor.
struct LogMessage {
  char byte = 0;
  iovec text{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};

  LogMessage() noexcept {
    header.msg_iov = &text;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
  LogMessage(const LogMessage&) = delete;
  LogMessage& operator=(const LogMessage&) = delete;
};

}  // namespace

base::Result<> hand_log_over(int status_socket, int log) {
  LogMessage message;
  cmsghdr* part = CMSG_FIRSTHDR(&message.header);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof log);
  std::memcpy(CMSG_DATA(part), &log, sizeof log);
  if (::sendmsg(status_socket, &message.header, MSG_NOSIGNAL | MSG_DONTWAIT) == 1) return {};
  return base::fail(fmt::format("a worker cannot be given the new log: {}", std::strerror(errno)));
}

base::UniqueFd take_log(int status_socket) noexcept {
  LogMessage message;
  if (::recvmsg(status_socket, &message.header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1) return {};
  const cmsghdr* part = CMSG_FIRSTHDR(&message.header);
  if (part == nullptr || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) return {};
  int log;
  std::memcpy(&log, CMSG_DATA(part), sizeof log);
  return base::UniqueFd(log);
}

}  // namespace pyhost::gateway
