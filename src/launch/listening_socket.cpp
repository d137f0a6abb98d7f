#include "launch/listening_socket.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/scope_exit.h"
#include "scoreboard/board_rows.h"

namespace pyhost::launch {
namespace {

tl::unexpected<base::Error> refused(const std::string& path, const char* what) {
  return base::fail(
      fmt::format("the socket {} could not be made: {}: {}", path, what, std::strerror(errno)));
}

}  // namespace

std::string socket_path(const std::string& prefix, unsigned group, unsigned row) {
  const unsigned place = row % scoreboard::kRowsOfSlot;
  const std::string kept = place == 0 ? "" : fmt::format("kept{}.", place);
  return fmt::format("{}.{}.{}.{}sock", prefix, group, row / scoreboard::kRowsOfSlot, kept);
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
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return base::fail(
        fmt::format("the socket path {} is longer than the {} bytes that the system allows; give "
                    "WSGISocketPrefix a shorter one",
                    path, sizeof(sockaddr_un::sun_path) - 1));
  }
  base::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return refused(path, "socket");
  ListeningSocket listening(std::move(path), std::move(fd));
  PH_TRY_VOID(listening.bind_path());
  constexpr gid_t kUnchanged = -1;
  if (owner && lchown(listening.path_.c_str(), *owner, kUnchanged) != 0) {
    return refused(listening.path_, "chown");
  }
  listening.owner_ = owner;
  listening.adjust(group);
  return listening;
}

ListeningSocket& ListeningSocket::operator=(ListeningSocket&& other) noexcept {
  if (this == &other) return *this;
  end();
  path_ = std::move(other.path_);
  fd_ = std::move(other.fd_);
  device_ = other.device_;
  inode_ = other.inode_;
  owner_ = other.owner_;
  return *this;
}

ListeningSocket::~ListeningSocket() {
  end();
}

// A process that a worker has forked off may still hold it.
void ListeningSocket::end() const noexcept {
  if (!fd_.valid()) return;
  remove_path();
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

base::Result<> ListeningSocket::bind_path() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(path_, address.sun_path);
  constexpr mode_t kOwnerOnly = 0177;
  const mode_t before = umask(kOwnerOnly);
  const base::ScopeExit restore([before] { umask(before); });
  // A name left by a supervisor that was killed, or of a group that is on its way out.
  if (unlink(path_.c_str()) != 0 && errno != ENOENT) return refused(path_, "unlink");
  if (bind(fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return refused(path_, "bind");
  }
  struct stat made {};
  if (lstat(path_.c_str(), &made) != 0) return refused(path_, "lstat");
  device_ = made.st_dev;
  inode_ = made.st_ino;
  return {};
}

void ListeningSocket::remove_path() const noexcept {
  if (inode_ != 0 && in_place()) unlink(path_.c_str());
}

bool ListeningSocket::in_place() const noexcept {
  struct stat found {};
  return lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_;
}

}  // namespace pyhost::launch
