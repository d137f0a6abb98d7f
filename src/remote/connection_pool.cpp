#include "remote/connection_pool.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/printable.h"
#include "pyhost/gateway/build_id.h"
#include "wire/messages.h"

namespace pyhost::remote {
namespace {

using std::chrono::milliseconds;
using wire::Io;

// For room in a backlog, and for most replies; see Relay::receive_first().
constexpr timeval kBriefWait{.tv_sec = 0, .tv_usec = 10'000};
// Between two looks at whether a worker that has not accepted a connection still can.
constexpr milliseconds kFirstPause{5};
constexpr milliseconds kLongestPause{20};
// However short connect-timeout is: even a worker that is ready needs a moment.
constexpr milliseconds kLeastPatience{1000};
// A connection is a descriptor of the worker, which has to do with all children.
constexpr std::chrono::seconds kIdleMax{15};
constexpr std::chrono::seconds kBetweenLooks{1};

// What waits in a unix socket lies in the sender's buffer, so the workers' receive buffer is the
// send buffer of this end.
void set_buffers(int socket, const RemoteSettings& settings) noexcept {
  const int send = static_cast<int>(settings.group.receive_buffer_size_bytes);
  const int receive = static_cast<int>(settings.group.send_buffer_size_bytes);
  if (send != 0) ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &send, sizeof send);
  if (receive != 0) ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive);
}

// Whether connect() has failed for want of something that comes back, be it room in the backlog.
bool passes(int error) noexcept {
  return error == EAGAIN || error == EINTR || error == ENOBUFS || error == ENOMEM;
}

// 0 when it cannot be seen.
pid_t parent_of(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/stat", pid));
  std::string text(std::istreambuf_iterator<char>(status), {});
  // "pid (name) state parent": the name may have anything in it.
  const auto name_end = text.rfind(')');
  int parent = 0;
  char state = 0;
  if (name_end == text.npos) return 0;
  return std::sscanf(text.c_str() + name_end + 1, " %c %d", &state, &parent) == 2 ? parent : 0;
}

tl::unexpected<Setback> fail(Setback::Kind kind, std::string why) {
  return tl::unexpected(Setback{kind, std::move(why)});
}

}  // namespace

tl::expected<std::unique_ptr<PooledConnection>, Setback> ConnectionPool::take(const Worker& worker,
                                                                              Admission& admission,
                                                                              base::LogSink& log) {
  while (true) {
    std::unique_ptr<PooledConnection> pooled;
    {
      const std::lock_guard lock(mutex_);
      auto& idle = idle_[worker.slot];
      if (idle.empty()) break;
      pooled = std::move(idle.back());
      idle.pop_back();
    }
    // The one used last is the one most likely to be alive.
    if (pooled->worker.generation == worker.generation) return pooled;
  }
  auto pooled = connect(worker);
  if (!pooled) return pooled;
  if (auto met = await_hello(**pooled, worker, admission, log); !met) {
    return tl::unexpected(std::move(met).error());
  }
  return pooled;
}

void ConnectionPool::give_back(std::uint32_t slot, std::unique_ptr<PooledConnection> pooled) {
  const auto now = std::chrono::steady_clock::now();
  pooled->used = true;
  pooled->idle_since = now;
  Connections old;  // closed without the lock
  const std::lock_guard lock(mutex_);
  if (now >= next_look_) old = remove_old_locked(now);
  if (auto& idle = idle_[slot]; idle.size() < pooled->capacity) idle.push_back(std::move(pooled));
}

ConnectionPool::Connections ConnectionPool::remove_old_locked(
    std::chrono::steady_clock::time_point now) {
  next_look_ = now + kBetweenLooks;
  Connections old;
  for (Connections& idle : idle_) {
    const auto young = std::ranges::find_if(
        idle, [&](const auto& pooled) { return now - pooled->idle_since < kIdleMax; });
    std::move(idle.begin(), young, std::back_inserter(old));
    idle.erase(idle.begin(), young);
  }
  return old;
}

tl::expected<std::unique_ptr<PooledConnection>, Setback> ConnectionPool::connect(
    const Worker& worker) const {
  const std::string& path = settings_.socket_paths[worker.slot];
  const auto address = os::UnixAddress::of(path);
  if (!address) return fail(Setback::Kind::unreachable, address.error().sentence);
  base::UniqueFd created(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!created.valid()) {
    return fail(Setback::Kind::hindered,
                fmt::format("no socket can be had: {}", std::strerror(errno)));
  }
  const int socket = created.get();
  auto pooled = std::make_unique<PooledConnection>(std::move(created));
  pooled->connection.name_senders(true);
  set_buffers(socket, settings_);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &kBriefWait, sizeof kBriefWait);
  if (!address->connect(socket)) {
    const int error = errno;
    return fail(passes(error) ? Setback::Kind::hindered : Setback::Kind::unreachable,
                fmt::format("{} cannot be connected to: {}", path, std::strerror(error)));
  }
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &kBriefWait, sizeof kBriefWait);
  const auto peer = os::peer_of(socket);
  if (!peer || peer->uid != settings_.worker_uid) {
    return fail(Setback::Kind::unreachable,
                fmt::format("{} is served by user {}, not by the group's user {}", path,
                            peer ? peer->uid : 0, settings_.worker_uid));
  }
  return pooled;
}

// The socket outlives the workers of its slot: a connection waits in its backlog although nobody
// accepts any more. What has not been sent yet can go elsewhere.
tl::expected<void, Setback> ConnectionPool::await_hello(PooledConnection& pooled,
                                                        const Worker& worker, Admission& admission,
                                                        base::LogSink& log) const {
  const milliseconds patience = std::max(settings_.group.connect_timeout, kLeastPatience);
  const auto began = std::chrono::steady_clock::now();
  wire::Frame frame;
  for (milliseconds pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    switch (pooled.connection.read_frame(frame, pause)) {
      case Io::done:
        return meet(pooled, worker, frame, admission, log);
      case Io::malformed:
        return fail(Setback::Kind::unreachable, pooled.connection.fault());
      case Io::closed:
      case Io::reset:
        return fail(Setback::Kind::hindered, "the worker closed the connection");
      case Io::timeout:
        break;
    }
    if (has_left(worker)) {
      return fail(Setback::Kind::left, "the worker left before it accepted the connection");
    }
    const auto waited = std::chrono::steady_clock::now() - began;
    if (waited >= Admission::kSilenceAfter && admission.note_silence(worker, waited)) {
      return fail(Setback::Kind::silent, "the worker did not accept the connection at once");
    }
    if (waited >= patience || admission.is_over()) {
      return fail(Setback::Kind::unreachable,
                  fmt::format("the worker accepted no connection for {:g} s",
                              base::seconds(std::chrono::floor<milliseconds>(waited))));
    }
    if (admission.client_gone()) {
      return fail(Setback::Kind::client_gone, "the client left before it had a worker");
    }
  }
}

// Of a worker of another build nothing is understood but that, which anybody could say.
tl::expected<void, Setback> ConnectionPool::meet(PooledConnection& pooled, const Worker& worker,
                                                 const wire::Frame& frame, Admission& admission,
                                                 base::LogSink& log) const {
  const auto build =
      frame.type == wire::FrameType::hello ? wire::build_of_hello(frame.payload) : std::nullopt;
  if (build && *build != gateway::kBuildId) {
    const auto sender = pooled.connection.sender();
    const Worker claimant{worker.slot, sender ? sender->pid : 0, worker.generation};
    if (auto believed = believe(pooled, worker, claimant, log); !believed) return believed;
    return fail(
        Setback::Kind::foreign,
        fmt::format("worker {} of process group '{}', slot {}, is of build {}, and httpd's "
                    "module of build {}",
                    claimant.pid, settings_.group.name, worker.slot / settings_.rows_per_slot,
                    base::printable(*build), gateway::kBuildId));
  }
  const auto hello = build ? wire::decode_hello(frame.payload) : std::nullopt;
  if (!hello) return fail(Setback::Kind::unreachable, "the worker sent a malformed HELLO");
  const Worker accepting{worker.slot, static_cast<pid_t>(hello->pid), hello->generation};
  auto believed = believe(pooled, worker, accepting, log);
  if (!believed) return believed;
  pooled.capacity = hello->capacity;
  admission.note_sign_of_life(accepting);
  return believed;
}

// Any process that a worker has forked off may accept on its socket, also when the worker has gone
// and the group belongs to another user. The kernel knows who has sent HELLO.
tl::expected<void, Setback> ConnectionPool::believe(PooledConnection& pooled, const Worker& worker,
                                                    const Worker& accepting,
                                                    base::LogSink& log) const {
  const auto sender = pooled.connection.sender();
  pooled.connection.name_senders(false);
  pooled.worker = accepting;
  const bool is_itself =
      sender && sender->uid == settings_.worker_uid && sender->pid == accepting.pid;
  const scoreboard::SlotStatus now = scoreboard_.status(worker.slot);
  if (is_itself && (accepting.pid == worker.pid || accepting.pid == now.pid)) return {};
  // A predecessor that is about to leave has the same parent, the supervisor.
  const pid_t parent = parent_of(accepting.pid);
  const pid_t supervisor = parent_of(worker.pid);
  if (is_itself && parent != 0 && parent == supervisor) return {};
  if (!is_itself || (parent != 0 && supervisor != 0)) {
    log.log(base::LogLevel::error, base::Message::impostor_met,
            fmt::format("process {} of user {} accepted a connection as worker {} of process "
                        "group '{}', slot {}, whose worker is process {} of user {}",
                        sender ? sender->pid : 0, sender ? sender->uid : 0, accepting.pid,
                        settings_.group.name, worker.slot, now.pid, settings_.worker_uid));
  }
  return fail(Setback::Kind::hindered, "another process than the worker accepted the connection");
}

bool ConnectionPool::has_left(const Worker& worker) const noexcept {
  const scoreboard::SlotStatus now = scoreboard_.status(worker.slot);
  return now.state != scoreboard::SlotState::ready || now.generation != worker.generation ||
         now.pid != worker.pid;
}

}  // namespace pyhost::remote
