#include "launch/listening_socket.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scoreboard/board_rows.h"

namespace pyhost::launch {
std::string socket_path(const std::string& prefix, unsigned group, unsigned row) {
  const unsigned place = row % scoreboard::kRowsOfSlot;
  const std::string kept = place == 0 ? "" : fmt::format("kept{}.", place);
  return fmt::format("{}.{}.{}.{}sock", prefix, group, scoreboard::slot_of(row), kept);
}

base::Result<> try_sockets(const std::string& prefix, unsigned last_group, unsigned slots,
                           std::optional<uid_t> owner) {
  // That of a keeper is the longest.
  const unsigned last_row = slots * scoreboard::kRowsOfSlot - 1;
  return ListeningSocket::open(socket_path(prefix, last_group, last_row), {}, owner)
      .map([](const ListeningSocket&) {});
}

base::Result<ListeningSocket> ListeningSocket::open(std::string path,
                                                    const settings::ProcessGroup& group,
                                                    std::optional<uid_t> owner) {
  base::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return os::socket_not_made(path, "socket");
  // The name may be left by a supervisor that was killed, or of a group that is on its way out.
  PH_TRY(file, os::SocketFile::bind(fd.get(), std::move(path)));
  ListeningSocket listening(std::move(file), std::move(fd));
  constexpr gid_t kUnchanged = -1;
  if (owner && lchown(listening.path().c_str(), *owner, kUnchanged) != 0) {
    return os::socket_not_made(listening.path(), "chown");
  }
  listening.owner_ = owner;
  listening.adjust(group);
  return listening;
}

ListeningSocket& ListeningSocket::operator=(ListeningSocket&& other) noexcept {
  if (this == &other) return *this;
  end();
  file_ = std::move(other.file_);
  fd_ = std::move(other.fd_);
  owner_ = other.owner_;
  return *this;
}

ListeningSocket::~ListeningSocket() {
  end();
}

// A process that a worker has forked off may still hold it.
void ListeningSocket::end() noexcept {
  if (!fd_.valid()) return;
  file_.reset();
  shutdown(fd_.get(), SHUT_RDWR);
}

void ListeningSocket::adjust(const settings::ProcessGroup& group) const noexcept {
  const auto set_buffer = [this](int option, std::uint64_t bytes) {
    const int value = static_cast<int>(bytes);
    if (value != 0) setsockopt(fd(), SOL_SOCKET, option, &value, sizeof value);
  };
  set_buffer(SO_SNDBUF, group.send_buffer_size_bytes);
  set_buffer(SO_RCVBUF, group.receive_buffer_size_bytes);
}

}  // namespace pyhost::launch
