#include "supervisor/operators/operator_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "base/scope_exit.h"
#include "control/operator_protocol.h"

namespace pyhost::supervisor {
namespace {

constexpr base::Milliseconds kAcceptPause{1'000};

base::UniqueFd make_socket() {
  return base::UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// A full backlog is a sign of life, too.
bool somebody_listens_at(const os::UnixAddress& address) {
  const base::UniqueFd probe = make_socket();
  return address.connect(probe.get()) || errno == EAGAIN;
}

std::string lock_path(const std::string& path) {
  return path + ".lock";
}

// Who replaces a socket that nobody listens at holds this lock, and removes its file, or two would
// each take away what the other has just made. Nobody is waited for: it is tried again soon.
base::Result<base::UniqueFd> take_lock(const std::string& path) {
  constexpr mode_t kOwnerOnly = 0600;
  base::UniqueFd fd(
      ::open(lock_path(path).c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kOwnerOnly));
  if (!fd.valid()) return os::socket_not_made(path, "lock");
  struct stat file {};
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || fstat(fd.get(), &file) != 0 ||
      file.st_nlink == 0) {
    return base::fail(fmt::format(
        "another httpd is about to listen at {}; give each a WSGISocketPrefix of its own", path));
  }
  return fd;
}

// Whether there is no more to come now.
bool is_interrupted() noexcept {
  return errno == EAGAIN || errno == EINTR;
}

}  // namespace

base::Result<std::unique_ptr<OperatorSocket>> OperatorSocket::open(os::EventLoop& loop,
                                                                   std::string path,
                                                                   os::SocketGuests guests,
                                                                   Handlers handlers) {
  std::unique_ptr<OperatorSocket> opened(
      new OperatorSocket(loop, std::move(path), guests, std::move(handlers)));
  PH_TRY_VOID(opened->bind_path());
  PH_TRY_VOID(loop.watch(opened->fd_.get(), [socket = opened.get()] { socket->accept_peers(); }));
  return opened;
}

OperatorSocket::OperatorSocket(os::EventLoop& loop, std::string path, os::SocketGuests guests,
                               Handlers handlers)
    : loop_(loop),
      path_(std::move(path)),
      guests_(guests),
      handlers_(std::move(handlers)),
      fd_(make_socket()) {}

OperatorSocket::~OperatorSocket() {
  while (!peers_.empty()) close_peer(peers_.begin()->first);
  loop_.forget(fd_.get());
}

base::Result<> OperatorSocket::bind_path() {
  PH_TRY(address, os::UnixAddress::of(path_));
  if (!fd_.valid()) return os::socket_not_made(path_, "socket");
  PH_TRY(lock, take_lock(path_));
  const base::ScopeExit unlock([this] { unlink(lock_path(path_).c_str()); });
  if (somebody_listens_at(address)) {
    return base::fail(
        fmt::format("another httpd listens at {}; give each a WSGISocketPrefix of its own", path_));
  }
  PH_TRY(file, os::SocketFile::bind(fd_.get(), path_, guests_));
  file_ = std::move(file);
  if (listen(fd_.get(), kOperatorsMax) != 0) return os::socket_not_made(path_, "listen");
  return {};
}

void OperatorSocket::accept_peers() {
  // Whoever comes all the time must not keep the supervisor from its other work.
  for (std::size_t i = 0; i < kOperatorsMax; ++i) {
    base::UniqueFd fd(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd.valid()) {
      admit(std::move(fd));
      continue;
    }
    if (is_interrupted() || errno == ECONNABORTED) return;
    loop_.forget(fd_.get());
    accept_again_at_ = base::Clock::now() + kAcceptPause;
    return;
  }
}

// Whoever is neither root nor our own user nor the guest has come in by the group of the socket's
// file, which the kernel looks at.
std::optional<OperatorSocket::Rights> OperatorSocket::rights_of(
    const os::Peer& peer) const noexcept {
  if (peer.uid == 0 || peer.uid == geteuid()) return Rights::command;
  if (peer.uid == guests_.user) return Rights::look_inside;
  return guests_.group ? std::optional(Rights::observe) : std::nullopt;
}

// Guests leave some to those who command.
bool OperatorSocket::has_room_for(Rights rights) const {
  if (peers_.size() >= kOperatorsMax) return false;
  const auto is_guest = [](const auto& entry) { return entry.second.rights != Rights::command; };
  return rights == Rights::command ||
         static_cast<std::size_t>(std::ranges::count_if(peers_, is_guest)) < kGuestsMax;
}

void OperatorSocket::admit(base::UniqueFd fd) {
  const auto who = os::peer_of(fd.get());
  if (!who) return;
  const auto rights = rights_of(*who);
  if (!rights) {
    handlers_.on_stranger(who->pid, who->uid);
    return;
  }
  if (!has_room_for(*rights)) {
    constexpr std::string_view kFull = "{\"error\":\"too many commands are under way\"}\n";
    send(fd.get(), kFull.data(), kFull.size(), MSG_NOSIGNAL);
    return;
  }
  const PeerId id = ++last_peer_;
  const int number = fd.get();
  peers_.emplace(id, Peer{.fd = std::move(fd),
                          .rights = *rights,
                          .until = base::Clock::now() + kOperatorPatience});
  if (!loop_.watch(number, [this, id] { read_from(id); })) close_peer(id);
}

void OperatorSocket::read_from(PeerId id) {
  Peer& peer = peers_.at(id);
  std::array<char, control::kOperatorRequestBytesMax> buffer;
  const ssize_t got = recv(peer.fd.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && is_interrupted()) return;
  if (got <= 0 || peer.asked) return close_peer(id);
  peer.received.append(buffer.data(), got);
  const auto end = peer.received.find('\n');
  if (end == peer.received.npos) {
    if (peer.received.size() >= control::kOperatorRequestBytesMax) close_peer(id);
    return;
  }
  peer.asked = true;
  peer.until.reset();
  const std::string line = peer.received.substr(0, end);
  handlers_.on_request(id, peer.rights, line);
}

void OperatorSocket::answer(PeerId id, const std::string& line) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  peer.to_send = line + '\n';
  peer.until = base::Clock::now() + kOperatorPatience;
  loop_.forget(peer.fd.get());
  const auto watched = loop_.watch(
      peer.fd.get(), [this, id] { send_to(id); }, os::Interest::writable);
  if (!watched) close_peer(id);
}

void OperatorSocket::send_to(PeerId id) {
  Peer& peer = peers_.at(id);
  const ssize_t sent = send(peer.fd.get(), peer.to_send.data(), peer.to_send.size(), MSG_NOSIGNAL);
  if (sent < 0 && is_interrupted()) return;
  if (sent > 0) peer.to_send.erase(0, sent);
  if (sent < 0 || peer.to_send.empty()) close_peer(id);
}

void OperatorSocket::close_peer(PeerId id) {
  const auto found = peers_.find(id);
  loop_.forget(found->second.fd.get());
  peers_.erase(found);
}

void OperatorSocket::advance(base::TimePoint now) {
  if (accept_again_at_ && now >= *accept_again_at_) {
    accept_again_at_.reset();
    if (!loop_.watch(fd_.get(), [this] { accept_peers(); })) accept_again_at_ = now + kAcceptPause;
  }
  std::vector<PeerId> overdue;
  for (const auto& [id, peer] : peers_) {
    if (peer.until && now >= *peer.until) overdue.push_back(id);
  }
  for (const PeerId id : overdue) close_peer(id);
}

std::optional<base::TimePoint> OperatorSocket::next_deadline() const noexcept {
  std::optional<base::TimePoint> next = accept_again_at_;
  for (const auto& [id, peer] : peers_) {
    next = base::earliest(next, peer.until);
  }
  return next;
}

}  // namespace pyhost::supervisor
