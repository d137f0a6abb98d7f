#include "worker/connections.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/out_of_memory.h"
#include "wire/messages.h"

namespace pyhost::worker {
namespace {

using base::LogLevel;
using base::Message;
using Event = Connections::Event;

constexpr unsigned kOnce = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;
constexpr unsigned kListens = EPOLLIN | EPOLLONESHOT;

// What an event is about; connections have the numbers behind these.
constexpr std::uint64_t kStopped = 0;
constexpr std::uint64_t kSomebodyConnects = 1;
constexpr std::uint64_t kPauseOver = 2;
constexpr std::uint64_t kPassedOn = 3;
constexpr std::uint64_t kFirstConnection = 4;

// Children close what they do not use, but one without requests does nothing at all.
constexpr std::chrono::seconds kIdleMax{60};
constexpr std::chrono::seconds kBetweenLooksAtIdle{1};

// How long nobody is accepted when there is nothing to accept them with.
constexpr itimerspec kShortagePause{.it_interval = {},
                                    .it_value = {.tv_sec = 0, .tv_nsec = 20'000'000}};

Event broken(std::string_view what) noexcept {
  return {.kind = Event::Kind::broken, .broken = what};
}

}  // namespace

base::Result<std::unique_ptr<Connections>> Connections::open(base::UniqueFd listening,
                                                             const PoolSettings& settings,
                                                             base::LogSink& log) {
  std::unique_ptr<Connections> connections(new Connections(std::move(listening), settings, log));
  PH_TRY_VOID(connections->watch_all());
  return connections;
}

Connections::Connections(base::UniqueFd listening, const PoolSettings& settings,
                         base::LogSink& log) noexcept
    : settings_(settings),
      log_(log),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      stop_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      passed_on_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)),
      pause_timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      acceptor_(
          std::move(listening), settings.group.name, [this] { return make_room(); }, log_),
      connections_(kFirstConnection) {}

base::Result<> Connections::watch_all() noexcept {
  const bool ready = acceptor_.open() &&
                     watch(EPOLL_CTL_ADD, stop_event_.get(), kStopped, EPOLLIN) &&
                     watch(EPOLL_CTL_ADD, passed_on_event_.get(), kPassedOn, EPOLLIN) &&
                     watch(EPOLL_CTL_ADD, pause_timer_.get(), kPauseOver, EPOLLIN | EPOLLET) &&
                     watch(EPOLL_CTL_ADD, acceptor_.fd(), kSomebodyConnects, kListens);
  if (!ready) {
    return base::fail(
        fmt::format("the worker's listening socket cannot be watched: {}", std::strerror(errno)));
  }
  return {};
}

bool Connections::watch(int operation, int fd, std::uint64_t tag, unsigned events) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
}

// An application may close any descriptor, also those of its process.
Event Connections::wait() noexcept {
  epoll_event event{};
  const int ready = ::epoll_wait(epoll_.get(), &event, 1, -1);
  if (ready < 0 && errno != EINTR) return broken("epoll set");
  if (ready != 1) return {};
  switch (event.data.u64) {
    case kStopped:
      return {.kind = Event::Kind::stopped};
    case kPauseOver:
      return await_connection();
    case kPassedOn:
      return take_passed_on();
    case kSomebodyConnects:
      return base::unless_out_of_memory([this] { return accept_one(); },
                                        [this] { return pause(); });
    default:
      return take(event.data.u64, event.events);
  }
}

Event Connections::take(std::uint64_t id, unsigned events) noexcept {
  const std::lock_guard lock(mutex_);
  ChildConnection* child = connections_.take(id);
  if (child == nullptr) return {};
  // Whoever sent a request and left does not want it any more.
  if ((events & EPOLLRDHUP) != 0) {
    connections_.close(id);
    return {};
  }
  return {.kind = Event::Kind::message, .child = child};
}

// Another thread may have been faster.
Event Connections::take_passed_on() noexcept {
  std::uint64_t one = 0;
  if (::read(passed_on_event_.get(), &one, sizeof one) != sizeof one) return {};
  const std::lock_guard lock(mutex_);
  if (passed_on_.empty()) return {};
  ChildConnection* const child = passed_on_.front();
  passed_on_.pop_front();
  return {.kind = Event::Kind::message, .child = child};
}

void Connections::pass_on(ChildConnection& child) noexcept {
  const bool waits = base::unless_out_of_memory(
      [&] {
        const std::lock_guard lock(mutex_);
        passed_on_.push_back(&child);
        return true;
      },
      [] { return false; });
  if (!waits) return close(child);
  const std::uint64_t one = 1;
  static_cast<void>(!::write(passed_on_event_.get(), &one, sizeof one));
}

Event Connections::await_connection() noexcept {
  const bool awaited = watch(EPOLL_CTL_MOD, acceptor_.fd(), kSomebodyConnects, kListens);
  // Gone from the set while nobody is accepted.
  return awaited || errno == ENOENT ? Event{} : broken("listening socket");
}

Event Connections::pause() noexcept {
  const bool begun = ::timerfd_settime(pause_timer_.get(), 0, &kShortagePause, nullptr) == 0;
  return begun ? Event{} : broken("timer");
}

Event Connections::accept_one() {
  auto [socket, waits, is_broken] = acceptor_.accept();
  if (is_broken) return broken("listening socket");
  const Event next = waits ? pause() : await_connection();
  if (next.kind != Event::Kind::broken && socket.valid()) welcome(std::move(socket));
  return next;
}

void Connections::welcome(base::UniqueFd socket) {
  const auto peer = os::peer_of(socket.get());
  // The supervisor connects to see whether somebody is accepted.
  const bool may = peer && (peer->uid == settings_.httpd_uid || peer->pid == ::getppid());
  if (!may) {
    log_.log(LogLevel::error, Message::peer_refused,
             fmt::format("process {} of user {} connected to process group '{}'; only user {} may",
                         peer ? peer->pid : 0, peer ? peer->uid : 0, settings_.group.name,
                         settings_.httpd_uid));
    return;
  }
  wire::FrameBatch hello;
  wire::encode_hello({.pid = static_cast<std::uint32_t>(::getpid()),
                      .generation = settings_.generation,
                      .capacity = places_max_of_worker(settings_.group)},
                     hello.encoded());
  const std::lock_guard lock(mutex_);
  ChildConnection& child = connections_.add(std::move(socket));
  const bool told = base::unless_out_of_memory(
      [&] { return child.connection.write_some(hello) == wire::Io::done; }, [] { return false; });
  if (!told) return connections_.close(child.id);
  keep_locked(child, EPOLL_CTL_ADD);
}

// The descriptor that has been idle for the longest, for somebody who has none.
bool Connections::make_room() {
  const std::lock_guard lock(mutex_);
  return connections_.close_idlest();
}

void Connections::close_idle_locked(base::TimePoint now) {
  if (now < next_look_at_idle_) return;
  next_look_at_idle_ = now + kBetweenLooksAtIdle;
  connections_.close_idle_since(now - kIdleMax);
}

void Connections::keep(ChildConnection& child) noexcept {
  if (!child.connection.drained()) return close(child);
  const std::lock_guard lock(mutex_);
  keep_locked(child, EPOLL_CTL_MOD);
}

// Another thread may have the child, or close it, as soon as the lock is given up.
void Connections::keep_locked(ChildConnection& child, int operation) noexcept {
  const base::TimePoint now = std::chrono::steady_clock::now();
  connections_.set_idle(child, now);
  if (!watch(operation, child.connection.fd(), child.id, kOnce)) connections_.close(child.id);
  close_idle_locked(now);
}

void Connections::close(const ChildConnection& child) {
  const std::lock_guard lock(mutex_);
  connections_.close(child.id);
}

// A process that an application forks off would keep connections open that end with this one, and
// httpd would wait for replies that nobody sends.
void Connections::close_descriptors() const noexcept {
  connections_.close_descriptors();
  for (const int fd : {acceptor_.fd(), epoll_.get(), stop_event_.get(), passed_on_event_.get(),
                       pause_timer_.get()}) {
    ::close(fd);
  }
}

void Connections::accept(bool accept) noexcept {
  if (accepting_ended_) return;
  static_cast<void>(
      watch(accept ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, acceptor_.fd(), kSomebodyConnects, kListens));
}

void Connections::end_accepting() noexcept {
  accept(false);
  accepting_ended_ = true;
}

void Connections::accept_at(base::UniqueFd listening) noexcept {
  accept(false);
  acceptor_.move_to(std::move(listening));
  accept(true);
}

void Connections::stop() noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(stop_event_.get(), &one, sizeof one));
}

}  // namespace pyhost::worker
