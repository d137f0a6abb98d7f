// Unix sockets: their addresses, their files and who is at the other end.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <optional>
#include <string>
#include <string_view>

#include "pyhost/base/result.h"

namespace pyhost::os {

// The address of a path.
class UnixAddress {
 public:
  // Fails, with a sentence that names it, when the path is longer than the system allows.
  static base::Result<UnixAddress> of(std::string_view path);

  const char* path() const noexcept { return address_.sun_path; }
  // As connect() and bind(), with errno.
  bool connect(int socket) const noexcept;
  bool bind(int socket) const noexcept;

 private:
  UnixAddress() noexcept = default;

  sockaddr_un address_{};
};

// "the socket /run/wsgi.0.0.sock could not be made: bind: Permission denied"; the reason is errno.
tl::unexpected<base::Error> socket_not_made(std::string_view path, std::string_view step);

// Who may connect to a socket besides root.
struct SocketGuests {
  std::optional<uid_t> user;   // in the place of the process's own
  std::optional<gid_t> group;  // its members as well

  bool operator==(const SocketGuests&) const = default;
};

// The file of a socket that this process has bound. Goes with the object, unless another socket has
// taken its place.
class SocketFile {
 public:
  // Binds the socket, for the process's own user alone, or for guests as well. What lies at the
  // path is replaced: a name that was left by a process that was killed. Fails with a sentence that
  // names the path. Sets the process's umask meanwhile: no other thread may make files.
  static base::Result<SocketFile> bind(int socket, std::string path, SocketGuests guests = {});

  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&& other) noexcept;
  ~SocketFile();

  const std::string& path() const noexcept { return path_; }
  // Whether the path still leads to it.
  bool in_place() const noexcept;

 private:
  SocketFile(std::string path, dev_t device, ino_t inode) noexcept;

  std::string path_;  // "" when it was moved from
  dev_t device_;
  ino_t inode_;
};

// A process, as the kernel knows it.
struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;

  bool operator==(const Peer&) const = default;
};

// Who is at the other end of a connection. For a connecting socket that is the process that called
// listen() last. Nothing when the kernel does not tell.
std::optional<Peer> peer_of(int socket) noexcept;

}  // namespace pyhost::os
