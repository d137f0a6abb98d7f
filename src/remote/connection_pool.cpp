#include "remote/connection_pool.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pyhost::remote {
namespace {

// For most replies; see Relay::receive_first().
constexpr timeval kBriefWait{.tv_sec = 0, .tv_usec = 10'000};

// What waits in a unix socket lies in the sender's buffer, so the workers' receive buffer is the
// send buffer of this end.
void set_buffers(int socket, const RemoteSettings& settings) noexcept {
  const int send = static_cast<int>(settings.receive_buffer_bytes);
  const int receive = static_cast<int>(settings.send_buffer_bytes);
  if (send != 0) ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &send, sizeof send);
  if (receive != 0) ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive);
}

}  // namespace

base::Result<std::unique_ptr<Line>> ConnectionPool::take(const Worker& worker) {
  while (true) {
    std::unique_ptr<Line> line;
    {
      const std::lock_guard lock(mutex_);
      auto& idle = idle_[worker.slot.slot];
      if (idle.empty()) break;
      line = std::move(idle.back());
      idle.pop_back();
    }
    // The one used last is the one most likely to be alive.
    if (line->generation == worker.generation) return line;
  }
  return connect(worker);
}

void ConnectionPool::give_back(metrics::SlotId slot, std::unique_ptr<Line> line) {
  line->used = true;
  const std::lock_guard lock(mutex_);
  idle_[slot.slot].push_back(std::move(line));
}

void ConnectionPool::close_idle() {
  const std::lock_guard lock(mutex_);
  for (auto& idle : idle_) idle.clear();
}

base::Result<std::unique_ptr<Line>> ConnectionPool::connect(const Worker& worker) const {
  const std::string& path = settings_.socket_paths[worker.slot.slot];
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return base::fail(
        fmt::format("the path {} is too long for a socket; shorten WSGISocketPrefix", path));
  }
  path.copy(address.sun_path, path.size());
  base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  set_buffers(socket.get(), settings_);
  // A full backlog blocks the connect; this is its limit.
  const auto limit = std::chrono::duration_cast<std::chrono::seconds>(settings_.connect_timeout);
  const timeval timeout{.tv_sec = std::max<std::int64_t>(limit.count(), 1), .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return base::fail(fmt::format("{} cannot be connected to: {}", path, std::strerror(errno)));
  }
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kBriefWait, sizeof kBriefWait);
  const auto peer = wire::peer_of(socket.get());
  if (!peer || peer->uid != settings_.worker_uid) {
    return base::fail(fmt::format("{} is served by user {}, not by the group's user {}", path,
                                  peer ? peer->uid : 0, settings_.worker_uid));
  }
  return std::make_unique<Line>(std::move(socket), worker);
}

}  // namespace pyhost::remote
