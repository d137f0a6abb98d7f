// The socket of a slot. It outlives the workers in the slot: a connection that is made between two
// of them waits for the next one.
//
// It is bound here, but listen() is the workers': the kernel names whoever called it to a child
// that asks for the credentials of its peer.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "os/unix_socket.h"
#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"
#include "settings/process_group.h"

namespace pyhost::launch {

// Of a row of the group's scoreboard: "<prefix>.<group index>.<slot>.sock", or ".kept<n>.sock" for
// its keepers.
std::string socket_path(const std::string& prefix, unsigned group, unsigned row);

// Makes a socket as a worker's and takes it away again, for a start that is still to come. Groups
// and slots say how long the paths may be. Fails as ListeningSocket::open() does.
base::Result<> try_sockets(const std::string& prefix, unsigned last_group, unsigned slots,
                           std::optional<uid_t> owner);

class ListeningSocket {
 public:
  // Binds, with the group's buffer sizes, for `owner` alone when there is one (we must be root).
  // What lies at the path already is replaced. Fails with a sentence that names the path.
  static base::Result<ListeningSocket> open(std::string path, const settings::ProcessGroup& group,
                                            std::optional<uid_t> owner);

  ListeningSocket(ListeningSocket&&) = default;
  ListeningSocket& operator=(ListeningSocket&& other) noexcept;
  // Nobody is accepted any more, and the path is removed, unless another socket has taken its
  // place.
  ~ListeningSocket();

  // Whether its path still leads to it.
  bool in_place() const noexcept { return file_->in_place(); }
  // Another one in its stead, at the same path and for the same owner.
  base::Result<ListeningSocket> remake(const settings::ProcessGroup& group) const {
    return open(path(), group, owner_);
  }
  // Another one for the same owner, at that path.
  base::Result<ListeningSocket> open_beside(std::string path,
                                            const settings::ProcessGroup& group) const {
    return open(std::move(path), group, owner_);
  }

  // Takes over the buffer sizes of a new configuration.
  void adjust(const settings::ProcessGroup& group) const noexcept;

  int fd() const noexcept { return fd_.get(); }
  const std::string& path() const noexcept { return file_->path(); }

 private:
  ListeningSocket(os::SocketFile file, base::UniqueFd fd) noexcept
      : file_(std::move(file)), fd_(std::move(fd)) {}

  void end() noexcept;

  std::optional<os::SocketFile> file_;  // none when it has ended
  base::UniqueFd fd_;
  std::optional<uid_t> owner_;
};

}  // namespace pyhost::launch
