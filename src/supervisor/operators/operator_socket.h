// The socket that operators send commands to. Knows lines, not what they mean.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "os/event_loop.h"
#include "os/unix_socket.h"
#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::supervisor {

// Of connections at a time; one more is told so and closed.
inline constexpr std::size_t kOperatorsMax = 16;
// Of these, so many may be guests'.
inline constexpr std::size_t kGuestsMax = 12;
// How long an operator may take to send a command, and again to take the answer.
inline constexpr base::Milliseconds kOperatorPatience{5'000};

// Single-threaded, in the thread of the loop, which outlives it. Never waits for a peer. Each peer
// sends one line and is sent one; whatever else it does closes its connection. Peers of other users
// than root and the process's own are closed unheard, unless they are guests.
class OperatorSocket {
 public:
  // Never used again.
  using PeerId = std::uint64_t;

  enum class Rights {
    look_inside,  // the guest that is a user
    observe,      // the members of the guests' group
    command,
  };

  struct Handlers {
    std::function<void(PeerId, Rights, const std::string& line)> on_request;
    std::function<void(pid_t, uid_t)> on_stranger;
  };

  // Listens for root and the process's own user, and for guests. Replaces a socket that nobody
  // listens at; fails, with a sentence that names the path, when somebody does.
  static base::Result<std::unique_ptr<OperatorSocket>> open(os::EventLoop& loop, std::string path,
                                                            os::SocketGuests guests,
                                                            Handlers handlers);
  OperatorSocket(const OperatorSocket&) = delete;
  OperatorSocket& operator=(const OperatorSocket&) = delete;
  // Closes all connections and removes the path, unless another socket has taken its place.
  ~OperatorSocket();

  // Sends the answer and closes the connection; does nothing when that has gone.
  void answer(PeerId id, const std::string& line);
  // Whether the peer still waits for an answer.
  bool has(PeerId peer) const noexcept { return peers_.contains(peer); }

  // Closes connections of peers that take too long.
  void advance(base::TimePoint now);
  std::optional<base::TimePoint> next_deadline() const noexcept;

 private:
  struct Peer {
    base::UniqueFd fd;
    Rights rights;
    std::string received;
    std::string to_send;
    bool asked = false;                      // its line was taken
    std::optional<base::TimePoint> until{};  // none while its command is carried out
  };

  OperatorSocket(os::EventLoop& loop, std::string path, os::SocketGuests guests, Handlers handlers);

  base::Result<> bind_path();
  std::optional<Rights> rights_of(const os::Peer& peer) const noexcept;
  bool has_room_for(Rights rights) const;
  void accept_peers();
  void admit(base::UniqueFd fd);
  void read_from(PeerId id);
  void send_to(PeerId id);
  void close_peer(PeerId id);

  os::EventLoop& loop_;
  const std::string path_;
  const os::SocketGuests guests_;
  const Handlers handlers_;
  base::UniqueFd fd_;
  std::optional<os::SocketFile> file_;  // once it is bound
  PeerId last_peer_ = 0;
  std::map<PeerId, Peer> peers_;
  std::optional<base::TimePoint> accept_again_at_;  // set while the system has no descriptors left
};

}  // namespace pyhost::supervisor
