#include "worker/acceptor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace pyhost::worker {
namespace {

using base::LogLevel;
using base::Message;

bool lacks_descriptor(int error) noexcept {
  return error == EMFILE || error == ENFILE;
}

bool is_shortage(int error) noexcept {
  return lacks_descriptor(error) || error == ENOBUFS || error == ENOMEM;
}

// Somebody has closed it, and something else may have its number.
bool is_no_listener(int error) noexcept {
  return error == EBADF || error == ENOTSOCK || error == EINVAL || error == EOPNOTSUPP;
}

base::UniqueFd take_next(int listening) noexcept {
  return base::UniqueFd(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC));
}

// The kernel gives an accepted unix socket the system's sizes, not those of the listening one.
void take_over_buffer_size(int option, int listening, int accepted) noexcept {
  int wanted = 0, found = 0;
  socklen_t size = sizeof wanted;
  if (::getsockopt(listening, SOL_SOCKET, option, &wanted, &size) != 0) return;
  if (::getsockopt(accepted, SOL_SOCKET, option, &found, &size) != 0 || found == wanted) return;
  const int half = wanted / 2;  // it doubles what it is given
  ::setsockopt(accepted, SOL_SOCKET, option, &half, sizeof half);
}

}  // namespace

bool Acceptor::open() noexcept {
  const std::lock_guard lock(mutex_);
  keep_spare_locked();
  const int flags = ::fcntl(fd(), F_GETFL);
  return flags >= 0 && ::fcntl(fd(), F_SETFL, flags | O_NONBLOCK) == 0;
}

void Acceptor::move_to(base::UniqueFd listening) noexcept {
  const std::lock_guard lock(mutex_);
  const int flags = ::fcntl(listening.get(), F_GETFL);
  ::fcntl(listening.get(), F_SETFL, flags | O_NONBLOCK);
  ::dup3(listening.get(), fd(), O_CLOEXEC);
  spare_.reset();
}

Acceptor::Arrival Acceptor::accept() {
  std::unique_lock lock(mutex_);
  keep_spare_locked();
  base::UniqueFd socket = take_next(fd());
  int error = socket.valid() ? 0 : errno;
  while (lacks_descriptor(error) && make_room_()) {
    keep_spare_locked();
    socket = take_next(fd());
    error = socket.valid() ? 0 : errno;
  }
  const bool no_descriptor = lacks_descriptor(error);
  const int obstacle = no_descriptor ? refuse_locked() : error;
  const bool waits = is_shortage(obstacle);
  const bool tells_waiting = !std::exchange(waiting_told_, waits) && waits;
  lock.unlock();
  if (socket.valid()) {
    take_over_buffer_size(SO_SNDBUF, fd(), socket.get());
    take_over_buffer_size(SO_RCVBUF, fd(), socket.get());
  }
  if (no_descriptor && obstacle == 0) tell("was refused", error);
  if (tells_waiting) tell("has to wait", obstacle);
  return {std::move(socket), waits, is_no_listener(error)};
}

// It is lost when another thread opens a file while it is given up.
void Acceptor::keep_spare_locked() noexcept {
  if (!spare_.valid()) spare_.reset(::fcntl(fd(), F_DUPFD_CLOEXEC, 0));
}

// What is in the way, as errno has it; 0 when somebody was refused.
int Acceptor::refuse_locked() noexcept {
  spare_.reset();
  const int error = take_next(fd()).valid() ? 0 : errno;
  keep_spare_locked();
  return error;
}

void Acceptor::tell(std::string_view what, int error) const {
  log_.log(
      LogLevel::error, Message::descriptors_exhausted,
      fmt::format("a connection to process group '{}' {}: {}; raise the limit of open files, or "
                  "see which the application keeps open",
                  process_group_, what, std::strerror(error)));
}

}  // namespace pyhost::worker
