#include "supervisor/operators/operator_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/scope_exit.h"
#include "control/operator_protocol.h"

namespace pyhost::supervisor {
namespace {

constexpr base::Milliseconds kAcceptPause{1'000};

tl::unexpected<base::Error> refused(const std::string& path, const char* what) {
  return base::fail(
      fmt::format("the socket {} could not be made: {}: {}", path, what, std::strerror(errno)));
}

base::UniqueFd make_socket() {
  return base::UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(path, address.sun_path);
  return address;
}

// A full backlog is a sign of life, too.
bool somebody_listens_at(const sockaddr_un& address) {
  const base::UniqueFd probe = make_socket();
  return connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         errno == EAGAIN;
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
  if (!fd.valid()) return refused(path, "lock");
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
                                                                   Handlers handlers) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return base::fail(
        fmt::format("the socket path {} is longer than the {} bytes that the system allows; give "
                    "WSGISocketPrefix a shorter one",
                    path, sizeof(sockaddr_un::sun_path) - 1));
  }
  std::unique_ptr<OperatorSocket> opened(
      new OperatorSocket(loop, std::move(path), std::move(handlers)));
  PH_TRY_VOID(opened->bind_path());
  PH_TRY_VOID(loop.watch(opened->fd_.get(), [socket = opened.get()] { socket->accept_peers(); }));
  return opened;
}

OperatorSocket::OperatorSocket(os::EventLoop& loop, std::string path, Handlers handlers)
    : loop_(loop), path_(std::move(path)), handlers_(std::move(handlers)), fd_(make_socket()) {}

OperatorSocket::~OperatorSocket() {
  while (!peers_.empty()) close_peer(peers_.begin()->first);
  loop_.forget(fd_.get());
  if (inode_ == 0) return;
  struct stat found {};
  if (lstat(path_.c_str(), &found) != 0) return;
  if (found.st_dev == device_ && found.st_ino == inode_) unlink(path_.c_str());
}

base::Result<> OperatorSocket::bind_path() {
  if (!fd_.valid()) return refused(path_, "socket");
  PH_TRY(lock, take_lock(path_));
  const base::ScopeExit unlock([this] { unlink(lock_path(path_).c_str()); });
  const sockaddr_un address = address_of(path_);
  if (somebody_listens_at(address)) {
    return base::fail(
        fmt::format("another httpd listens at {}; give each a WSGISocketPrefix of its own", path_));
  }
  constexpr mode_t kOwnerOnly = 0177;
  const mode_t before = umask(kOwnerOnly);
  const base::ScopeExit restore([before] { umask(before); });
  if (unlink(path_.c_str()) != 0 && errno != ENOENT) return refused(path_, "unlink");
  if (bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return refused(path_, "bind");
  }
  struct stat made {};
  if (lstat(path_.c_str(), &made) != 0) return refused(path_, "lstat");
  device_ = made.st_dev;
  inode_ = made.st_ino;
  if (listen(fd_.get(), kOperatorsMax) != 0) return refused(path_, "listen");
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

void OperatorSocket::admit(base::UniqueFd fd) {
  ucred who{};
  socklen_t size = sizeof who;
  if (getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return;
  if (who.uid != 0 && who.uid != geteuid()) {
    handlers_.on_stranger(who.pid, who.uid);
    return;
  }
  if (peers_.size() >= kOperatorsMax) {
    constexpr std::string_view kFull = "{\"error\":\"too many commands are under way\"}\n";
    send(fd.get(), kFull.data(), kFull.size(), MSG_NOSIGNAL);
    return;
  }
  const PeerId id = ++last_peer_;
  const int number = fd.get();
  peers_.emplace(id, Peer{.fd = std::move(fd), .until = base::Clock::now() + kOperatorPatience});
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
  handlers_.on_request(id, line);
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
    if (peer.until && (!next || *peer.until < *next)) next = peer.until;
  }
  return next;
}

}  // namespace pyhost::supervisor
