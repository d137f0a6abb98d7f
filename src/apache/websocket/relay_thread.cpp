#include "apache/websocket/relay_thread.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "apache/request/client_connection.h"
#include "apache/websocket/connection_end.h"
#include "base/out_of_memory.h"

namespace pyhost::apache {
namespace {

using base::Clock;
using gateway::StreamEnding;
using std::chrono::milliseconds;

// httpd's filters, TLS among them, run on it.
constexpr std::size_t kStackBytes = 1024 * 1024;
// Between two looks at what no descriptor tells.
constexpr milliseconds kLookInterval{1000};
constexpr milliseconds kLookIntervalAtTheEnd{200};
// As the MPM has it for connections that are to be closed soon.
constexpr std::chrono::seconds kLingerMax{2};
constexpr int kEventsMax = 256;

}  // namespace

base::Result<std::unique_ptr<RelayThread>> RelayThread::start() {
  std::unique_ptr<RelayThread> relay(new RelayThread);
  PH_TRY_VOID(relay->open());
  PH_TRY(thread, base::NamedThread::start("pyhost-sockets", kStackBytes,
                                          [self = relay.get()] { self->run(); }));
  relay->thread_ = std::move(thread);
  return relay;
}

base::Result<> RelayThread::open() {
  epoll_ = base::UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  wakes_ = base::UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  if (epoll_.valid() && wakes_.valid() &&
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wakes_.get(), &event) == 0) {
    return {};
  }
  return base::fail(fmt::format("no descriptor can be had: {}", std::strerror(errno)));
}

RelayThread::~RelayThread() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    if (!leaving_) leaving_ = gateway::Leaving::stop;
    stops_at_ = Clock::now() + kLastMoment;
  }
  wake();
  thread_.join();
  // httpd has no thread any more that could end what is left.
  for (Members* left : {&members_, &new_}) {
    for (auto& member : *left) static_cast<void>(member.release());
  }
  for (auto& socket : ended_) static_cast<void>(socket.release());
}

void RelayThread::wake() noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(::write(wakes_.get(), &one, sizeof one));
}

void RelayThread::enter(std::unique_ptr<Member> member) {
  {
    const std::lock_guard lock(mutex_);
    new_.push_back(std::move(member));
  }
  wake();
}

void RelayThread::adopt(std::unique_ptr<SuspendedSocket> socket) {
  socket->note_suspended();
  auto member = std::make_unique<Member>();
  member->client = {.member = member.get(), .fd = socket->client_fd()};
  member->worker = {.member = member.get(), .fd = socket->worker_fd()};
  member->socket = std::move(socket);
  enter(std::move(member));
}

void RelayThread::linger(conn_rec* c) {
  auto member = std::make_unique<Member>();
  member->client = {.member = member.get(), .fd = socket_of(c).fd};
  member->lingering_or_null = c;
  member->lingers_until = Clock::now() + kLingerMax;
  enter(std::move(member));
}

void RelayThread::leave(gateway::Leaving leaving) {
  {
    const std::lock_guard lock(mutex_);
    if (!leaving_) leaving_ = leaving;
  }
  wake();
}

// --- The thread ----------------------------------------------------------------------------------

void RelayThread::run() {
  while (true) {
    take_new_ones();
    const auto now = Clock::now();
    if (ends_at_ && (members_.empty() || now >= *ends_at_)) return;
    advance_ready();
    end_settled(now);
    if (now >= next_look_) look_at_all(now);
    wait();
  }
}

void RelayThread::take_new_ones() {
  Members arrived;
  bool is_news = false;
  {
    const std::lock_guard lock(mutex_);
    arrived.swap(new_);
    is_news = told_ != leaving_;
    told_ = leaving_;
    ends_at_ = stops_at_;
  }
  const auto now = Clock::now();
  if (is_news) {
    for (auto& member : members_) tell_to_leave(*member, now);
  }
  for (auto& member : arrived) {
    member->place = members_.size();
    members_.push_back(std::move(member));
    tell_to_leave(*members_.back(), now);
    set_ready(*members_.back());
  }
}

void RelayThread::tell_to_leave(Member& member, base::TimePoint now) {
  if (!told_ || member.socket == nullptr) return;
  member.socket->relay().leave(*told_, now);
  set_ready(member);
}

// Which members are ready.
void RelayThread::wait() {
  int timeout = -1;
  if (!ready_.empty()) {
    timeout = 0;
  } else if (!members_.empty() || !ended_.empty()) {
    auto until = base::earliest(next_look_, ends_at_);
    for (const auto& socket : ended_) until = base::earliest(until, socket->settled_at());
    timeout = base::poll_timeout(until);
  }
  epoll_event events[kEventsMax];
  const int count = ::epoll_wait(epoll_.get(), events, kEventsMax, timeout);
  for (int i = 0; i < count; ++i) {
    const auto* watch = static_cast<const Watch*>(events[i].data.ptr);
    if (watch != nullptr) {
      set_ready(*watch->member);
    } else {
      std::uint64_t wakes = 0;
      static_cast<void>(::read(wakes_.get(), &wakes, sizeof wakes));
    }
  }
}

void RelayThread::set_ready(Member& member) {
  if (std::exchange(member.is_ready, true)) return;
  ready_.push_back(&member);
}

// Those that have more to do come again behind all others.
void RelayThread::advance_ready() {
  std::vector<Member*> ready;
  ready.swap(ready_);
  const auto now = Clock::now();
  for (Member* member : ready) {
    member->is_ready = false;
    if (member->socket != nullptr) {
      advance(*member, now);
    } else {
      advance_lingering(*member, now);
    }
  }
}

void RelayThread::advance(Member& member, base::TimePoint now) {
  StreamRelay& relay = member.socket->relay();
  if (member.client.fd < 0) relay.cut(StreamEnding::client_gone);
  const StreamRelay::Wants wants = base::unless_out_of_memory([&] { return relay.step(now); },
                                                              [&] {
                                                                relay.cut(StreamEnding::stopped);
                                                                return StreamRelay::Wants{};
                                                              });
  if (relay.over()) {
    ended_.push_back(std::move(remove(member)->socket));
    return;
  }
  const auto events = [](bool in, bool out) {
    return (in ? std::uint32_t{EPOLLIN} : 0) | (out ? std::uint32_t{EPOLLOUT} : 0);
  };
  watch(member.client, events(wants.client_in, wants.client_out));
  watch(member.worker, events(wants.worker_in, wants.worker_out));
  member.is_watched = wants.client_in;
  if (wants.at_once) set_ready(member);
}

void RelayThread::end_settled(base::TimePoint now) {
  const auto settled = std::stable_partition(
      ended_.begin(), ended_.end(), [&](const auto& socket) { return socket->settled_at() > now; });
  for (auto it = settled; it != ended_.end(); ++it) SuspendedSocket::end(std::move(*it));
  ended_.erase(settled, ended_.end());
}

void RelayThread::advance_lingering(Member& member, base::TimePoint now) {
  if (member.client.fd >= 0 && now < member.lingers_until && !has_closed(member.client.fd)) {
    return watch(member.client, EPOLLIN);
  }
  close_suspended_later(remove(member)->lingering_or_null);
}

void RelayThread::look_at_all(base::TimePoint now) {
  next_look_ = now + (told_ ? kLookIntervalAtTheEnd : kLookInterval);
  for (auto& each : members_) {
    Member& member = *each;
    if (member.socket == nullptr) {
      if (now >= member.lingers_until) set_ready(member);
      continue;
    }
    const bool is_due = member.socket->relay().due().value_or(now) <= now;
    const bool has_due = member.socket->relay().due().has_value();
    const bool died = member.socket->tunnel().worker_has_died();
    if (died || (has_due && is_due) || !member.is_watched) set_ready(member);
  }
}

// A descriptor that nothing is awaited of is not in the set, where a hang-up would show again and
// again.
void RelayThread::watch(Watch& watch, std::uint32_t events) noexcept {
  if (watch.events == events) return;
  const int what = events == 0 ? EPOLL_CTL_DEL : watch.events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  epoll_event event{.events = events, .data = {.ptr = &watch}};
  ::epoll_ctl(epoll_.get(), what, watch.fd, &event);
  watch.events = events;
}

std::unique_ptr<RelayThread::Member> RelayThread::remove(Member& member) {
  watch(member.client, 0);
  watch(member.worker, 0);
  const std::size_t place = member.place;
  std::swap(members_[place], members_.back());
  members_[place]->place = place;
  std::unique_ptr<Member> removed = std::move(members_.back());
  members_.pop_back();
  return removed;
}

}  // namespace pyhost::apache
