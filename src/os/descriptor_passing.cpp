#include "os/descriptor_passing.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pyhost::os {
namespace {

// Aligned for the kernel; what it does not write is not read.
struct alignas(cmsghdr) ControlBuffer {
  char bytes[CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int) * kDescriptorsPerMessage)];
};

msghdr message_of(std::span<iovec> pieces) noexcept {
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  return message;
}

void take_descriptors(const cmsghdr& part, Received& received) {
  const std::size_t count = (part.cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (std::size_t i = 0; i < count; ++i) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(&part) + i * sizeof descriptor, sizeof descriptor);
    received.descriptors.emplace_back(descriptor);
  }
}

void take_sender(const cmsghdr& part, Received& received) noexcept {
  ucred sender{};
  std::memcpy(&sender, CMSG_DATA(&part), sizeof sender);
  received.sender = Peer{sender.pid, sender.uid};
}

}  // namespace

ssize_t send_message(int socket, std::span<iovec> pieces, std::span<const int> descriptors,
                     int flags) noexcept {
  ControlBuffer control;
  msghdr message = message_of(pieces);
  if (!descriptors.empty()) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    std::fill_n(control.bytes, message.msg_controllen, '\0');
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size_bytes());
  }
  return ::sendmsg(socket, &message, flags | MSG_NOSIGNAL);
}

Received receive_message(int socket, std::span<iovec> pieces, std::size_t descriptors_max,
                         int flags) {
  ControlBuffer control;
  msghdr message = message_of(pieces);
  Received received;
  do {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int) * descriptors_max);
    received.bytes = ::recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
  } while (received.bytes < 0 && errno == EINTR);
  if (received.bytes < 0) return received;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET) continue;
    if (part->cmsg_type == SCM_RIGHTS) take_descriptors(*part, received);
    if (part->cmsg_type == SCM_CREDENTIALS) take_sender(*part, received);
  }
  received.cut_off = (message.msg_flags & MSG_TRUNC) != 0;
  // Without a sender there was room for some more.
  const bool too_many = received.descriptors.size() > descriptors_max;
  received.descriptors_lost = too_many || (message.msg_flags & MSG_CTRUNC) != 0;
  if (too_many) received.descriptors.resize(descriptors_max);
  return received;
}

bool name_senders(int socket, bool wanted) noexcept {
  const int value = wanted ? 1 : 0;
  return ::setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &value, sizeof value) == 0;
}

}  // namespace pyhost::os
