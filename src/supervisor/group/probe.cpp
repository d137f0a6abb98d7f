#include "supervisor/group/probe.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace pyhost::supervisor {
namespace {

// Who has sent what is there; 0 when nobody has sent anything.
pid_t receive_sender(int socket) noexcept {
  std::array<char, 64> bytes;
  iovec piece{.iov_base = bytes.data(), .iov_len = bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (recvmsg(socket, &message, MSG_DONTWAIT) <= 0) return 0;
  const cmsghdr* part = CMSG_FIRSTHDR(&message);
  ucred sender{};
  if (part != nullptr && part->cmsg_type == SCM_CREDENTIALS) {
    std::memcpy(&sender, CMSG_DATA(part), sizeof sender);
  }
  return sender.pid;
}

}  // namespace

Probe::Probe(os::EventLoop& loop, const std::string& path, pid_t worker,
             std::function<void()> on_greeting)
    : loop_(loop),
      worker_(worker),
      on_greeting_(std::move(on_greeting)),
      socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int on = 1;
  const bool ready =
      socket_.valid() && setsockopt(socket_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 &&
      connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      loop_.watch(socket_.get(), [this] { hear(); });
  if (!ready) socket_.reset();
}

Probe::~Probe() {
  close();
}

void Probe::close() noexcept {
  if (!socket_.valid()) return;
  loop_.forget(socket_.get());
  socket_.reset();
}

void Probe::hear() {
  const bool greeted = receive_sender(socket_.get()) == worker_;
  close();
  if (!greeted) return;
  const auto tell = on_greeting_;
  tell();
}

}  // namespace pyhost::supervisor
