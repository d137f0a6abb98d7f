#include "supervisor/group/probe.h"

#include <array>
#include <utility>

#include "os/descriptor_passing.h"

namespace pyhost::supervisor {
namespace {

// Who has sent what is there; 0 when nobody has sent anything.
pid_t receive_sender(int socket) {
  std::array<char, 64> bytes;
  iovec piece{.iov_base = bytes.data(), .iov_len = bytes.size()};
  const os::Received received = os::receive_message(socket, {&piece, 1}, 0, MSG_DONTWAIT);
  return received.bytes > 0 && received.sender ? received.sender->pid : 0;
}

}  // namespace

Probe::Probe(os::EventLoop& loop, const std::string& path, pid_t worker,
             std::function<void()> on_greeting)
    : loop_(loop),
      worker_(worker),
      on_greeting_(std::move(on_greeting)),
      socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  const auto address = os::UnixAddress::of(path);
  const bool ready = socket_.valid() && address && os::name_senders(socket_.get(), true) &&
                     address->connect(socket_.get()) &&
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
