#include "os/unix_socket.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/scope_exit.h"

namespace pyhost::os {

base::Result<UnixAddress> UnixAddress::of(std::string_view path) {
  UnixAddress made;
  if (path.size() >= sizeof made.address_.sun_path) {
    return base::fail(
        fmt::format("the socket path {} is longer than the {} bytes that the system allows; give "
                    "WSGISocketPrefix a shorter one",
                    path, sizeof made.address_.sun_path - 1));
  }
  made.address_.sun_family = AF_UNIX;
  path.copy(made.address_.sun_path, path.size());
  return made;
}

bool UnixAddress::connect(int socket) const noexcept {
  return ::connect(socket, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0;
}

bool UnixAddress::bind(int socket) const noexcept {
  return ::bind(socket, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0;
}

tl::unexpected<base::Error> socket_not_made(std::string_view path, std::string_view step) {
  const int why = errno;
  const std::string_view folder = path.substr(0, path.rfind('/'));
  std::string cure;
  if (why == ENOENT) cure = fmt::format("; make the folder {}", folder);
  if (why == EACCES || why == EPERM || why == EROFS) {
    cure = fmt::format("; let whoever starts httpd write to {}", folder);
  }
  if (!cure.empty()) cure += ", or name another place with WSGISocketPrefix";
  return base::fail(fmt::format("the socket {} could not be made: {}: {}{}", path, step,
                                std::strerror(why), cure));
}

base::Result<SocketFile> SocketFile::bind(int socket, std::string path, SocketGuests guests) {
  PH_TRY(address, UnixAddress::of(path));
  constexpr mode_t kOwnerOnly = 0177, kOwnerAndGroup = 0117;
  const mode_t before = ::umask(guests.group ? kOwnerAndGroup : kOwnerOnly);
  const base::ScopeExit restore([before] { ::umask(before); });
  if (::unlink(address.path()) != 0 && errno != ENOENT) return socket_not_made(path, "unlink");
  if (!address.bind(socket)) return socket_not_made(path, "bind");
  struct stat made {};
  if (::lstat(address.path(), &made) != 0) return socket_not_made(path, "lstat");
  SocketFile file(std::move(path), made.st_dev, made.st_ino);
  constexpr auto kUnchanged = static_cast<id_t>(-1);
  if (guests != SocketGuests() && ::lchown(address.path(), guests.user.value_or(kUnchanged),
                                           guests.group.value_or(kUnchanged)) != 0) {
    return socket_not_made(file.path(), "chown");
  }
  return file;
}

SocketFile::SocketFile(std::string path, dev_t device, ino_t inode) noexcept
    : path_(std::move(path)), device_(device), inode_(inode) {}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
  return *this;
}

SocketFile::~SocketFile() {
  if (!path_.empty() && in_place()) ::unlink(path_.c_str());
}

bool SocketFile::in_place() const noexcept {
  struct stat found {};
  return ::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_;
}

std::optional<Peer> peer_of(int socket) noexcept {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  return Peer{credentials.pid, credentials.uid};
}

}  // namespace pyhost::os
