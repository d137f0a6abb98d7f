#include "pyhost/gateway/worker_log.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace pyhost::gateway {
namespace {

// A message with one byte, which nobody looks at, and room for one descriptor.
struct Message {
  char byte = 0;
  iovec text{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};

  Message() noexcept {
    header.msg_iov = &text;
    header.msg_iovlen = 1;
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  void make_room_for_descriptor() noexcept {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
};

base::Result<> send(int status_socket, const Message& message, const char* what) {
  if (::sendmsg(status_socket, &message.header, MSG_NOSIGNAL | MSG_DONTWAIT) == 1) return {};
  return base::fail(fmt::format("a worker cannot be {}: {}", what, std::strerror(errno)));
}

}  // namespace

base::Result<> hand_log_over(int status_socket, int log) {
  Message message;
  message.make_room_for_descriptor();
  cmsghdr* part = CMSG_FIRSTHDR(&message.header);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof log);
  std::memcpy(CMSG_DATA(part), &log, sizeof log);
  return send(status_socket, message, "given the new log");
}

base::Result<> ask_for_sign_of_life(int status_socket) {
  return send(status_socket, Message(), "asked whether it runs");
}

std::optional<SupervisorWord> take_word(int status_socket) noexcept {
  Message message;
  message.make_room_for_descriptor();
  if (::recvmsg(status_socket, &message.header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1) {
    return std::nullopt;
  }
  const cmsghdr* part = CMSG_FIRSTHDR(&message.header);
  if (part == nullptr || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
    return SupervisorWord{};
  }
  int log;
  std::memcpy(&log, CMSG_DATA(part), sizeof log);
  return SupervisorWord{base::UniqueFd(log)};
}

}  // namespace pyhost::gateway
