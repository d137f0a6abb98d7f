// Messages over unix sockets that carry descriptors and name their sender.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <optional>
#include <span>
#include <vector>

#include "os/unix_socket.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::os {

// What the kernel passes at most with one message.
inline constexpr std::size_t kDescriptorsPerMessage = 253;

// As sendmsg() of these pieces, with MSG_NOSIGNAL. The descriptors, of which there may be
// kDescriptorsPerMessage, stay the caller's.
ssize_t send_message(int socket, std::span<iovec> pieces, std::span<const int> descriptors,
                     int flags) noexcept;

// A message, or as much of a stream as has come.
struct Received {
  ssize_t bytes = -1;                       // as from recvmsg(); with -1 errno is set
  std::vector<base::UniqueFd> descriptors;  // close-on-exec
  std::optional<Peer> sender;               // when the socket names senders
  bool cut_off = false;                     // the message was longer than the pieces
  // More descriptors came than were allowed, or than this process has room for; they are closed.
  bool descriptors_lost = false;
};

// As recvmsg() into these pieces, again when a signal interrupts it. Takes up to `descriptors_max`
// descriptors. Throws nothing but std::bad_alloc.
Received receive_message(int socket, std::span<iovec> pieces, std::size_t descriptors_max,
                         int flags);

// Whether receive_message() has the sender of what comes from now on: the kernel's word. To have
// that of the first bytes of a connection, it is asked for before the socket is connected.
bool name_senders(int socket, bool wanted) noexcept;

}  // namespace pyhost::os
