#include "worker/thread_pool.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "pyhost/base/signals.h"

namespace pyhost::worker {
namespace {

using base::LogLevel;
using base::Message;
using gateway::Outcome;
using wire::Connection;
using wire::Io;

constexpr unsigned kOnce = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;
constexpr int kInternalServerError = 500;

// How long nobody is accepted when there is nothing to accept them with.
constexpr itimerspec kShortagePause{.it_interval = {},
                                    .it_value = {.tv_sec = 0, .tv_nsec = 20'000'000}};

}  // namespace

base::Result<std::unique_ptr<ThreadPool>> ThreadPool::start(gateway::Engine& engine,
                                                            base::UniqueFd listening,
                                                            PoolSettings settings,
                                                            base::LogSink& log,
                                                            std::function<void()> on_served) {
  std::unique_ptr<ThreadPool> pool(
      new ThreadPool(engine, std::move(listening), std::move(settings), log, std::move(on_served)));
  PH_TRY_VOID(pool->open());
  for (unsigned i = 0; i < pool->settings_.threads; ++i) {
    auto thread = std::make_unique<Thread>(log, pool->settings_);
    PH_TRY(handle,
           base::NamedThread::start(fmt::format("wsgi-{}", i), pool->settings_.stack_bytes,
                                    [self = pool.get(), own = thread.get()] { self->run(*own); }));
    const std::lock_guard lock(pool->mutex_);
    ++pool->threads_left_;
    thread->handle = std::move(handle);
    pool->threads_.push_back(std::move(thread));
  }
  return pool;
}

ThreadPool::ThreadPool(gateway::Engine& engine, base::UniqueFd listening, PoolSettings settings,
                       base::LogSink& log, std::function<void()> on_served) noexcept
    : engine_(engine),
      settings_(std::move(settings)),
      log_(log),
      on_served_(std::move(on_served)),
      rota_(settings_.threads),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      stop_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      pause_timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      acceptor_(std::move(listening), settings_.process_group, log_) {}

// A child that reads no more may be waiting for its client, which is for it to judge. The limit
// here is for a child that is stuck, and comes behind its own.
wire::Timeout ThreadPool::reply_timeout(const PoolSettings& settings) noexcept {
  constexpr std::chrono::seconds kBehindTheChild{2};
  const wire::Timeout longest = std::max(settings.socket_timeout, settings.response_socket_timeout);
  return longest == wire::kNoTimeout ? longest : longest + kBehindTheChild;
}

ThreadPool::~ThreadPool() {
  stop(std::chrono::milliseconds::max());
}

base::Result<> ThreadPool::open() {
  const bool ready = acceptor_.open() &&
                     watch(EPOLL_CTL_ADD, stop_event_.get(), &stop_event_, EPOLLIN) &&
                     watch(EPOLL_CTL_ADD, pause_timer_.get(), &pause_timer_, EPOLLIN | EPOLLET) &&
                     watch(EPOLL_CTL_ADD, acceptor_.fd(), this, EPOLLIN | EPOLLONESHOT);
  if (!ready) {
    return base::fail(
        fmt::format("the worker's listening socket cannot be watched: {}", std::strerror(errno)));
  }
  return {};
}

bool ThreadPool::watch(int operation, int fd, void* tag, unsigned events) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.ptr = tag;
  return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
}

void ThreadPool::run(Thread& self) noexcept {
  base::unblock_signals();
  epoll_event event{};
  while (true) {
    rota_.await_turn(&self);
    if (::epoll_wait(epoll_.get(), &event, 1, -1) != 1) continue;
    if (event.data.ptr == &stop_event_) break;
    handover_.come_by();
    if (event.data.ptr == this) {
      accept_one();
    } else if (event.data.ptr == &pause_timer_) {
      await_connection();
    } else if ((event.events & EPOLLRDHUP) != 0) {
      // Whoever sent a request and left does not want it any more.
      close(*static_cast<Connection*>(event.data.ptr));
    } else {
      rota_.begin_request();
      serve(*static_cast<Connection*>(event.data.ptr), self.exchange);
      rota_.end_request(&self);
    }
  }
  const std::lock_guard lock(mutex_);
  self.ended = true;
  --threads_left_;
  changed_.notify_all();
}

void ThreadPool::await_connection() noexcept {
  // Gone from the set while draining, which makes this fail.
  static_cast<void>(watch(EPOLL_CTL_MOD, acceptor_.fd(), this, EPOLLIN | EPOLLONESHOT));
}

void ThreadPool::accept_one() {
  auto [socket, waits] = acceptor_.accept();
  if (waits) {
    ::timerfd_settime(pause_timer_.get(), 0, &kShortagePause, nullptr);
  } else {
    await_connection();
  }
  if (!socket.valid()) return;
  const auto peer = wire::peer_of(socket.get());
  if (!peer || peer->uid != settings_.httpd_uid) {
    log_.log(LogLevel::error, Message::peer_refused,
             fmt::format("process {} of user {} connected to process group '{}'; only user {} may",
                         peer ? peer->pid : 0, peer ? peer->uid : 0, settings_.process_group,
                         settings_.httpd_uid));
    return;
  }
  auto connection = std::make_unique<Connection>(std::move(socket), wire::Descriptors::refused);
  wire::FrameBatch hello;
  wire::encode_hello({static_cast<std::uint32_t>(::getpid()), settings_.generation},
                     hello.encoded());
  if (connection->write_some(hello) != Io::done) return;
  Connection* const tag = connection.get();
  {
    const std::lock_guard lock(mutex_);
    connections_.emplace(tag, std::move(connection));
  }
  if (!watch(EPOLL_CTL_ADD, tag->fd(), tag, kOnce)) close(*tag);
}

void ThreadPool::serve(Connection& connection, WorkerExchange& exchange) {
  wire::Frame frame;
  switch (connection.read_frame(frame, settings_.socket_timeout)) {
    case Io::done:
      break;
    case Io::malformed:
      return reject(connection, connection.fault());
    case Io::timeout:
      return reject(connection, "a request that stopped half-way");
    case Io::closed:
    case Io::reset:
      return close(connection);
  }
  if (frame.type == wire::FrameType::abort) return close(connection);
  if (frame.type != wire::FrameType::request) {
    return reject(connection,
                  fmt::format("a {} frame outside of a request", wire::name_of(frame.type)));
  }
  // Counted before the flag is looked at: whoever drains then sees one or the other.
  enter_request();
  if (draining_) {
    answer_retry(connection);
  } else {
    serve_request(connection, frame.payload, exchange);
  }
  leave_request();
  on_served_();
}

void ThreadPool::serve_request(Connection& connection, std::string_view payload,
                               WorkerExchange& exchange) {
  if (!exchange.begin(connection, payload, [this, &connection] { keep(connection); })) {
    return reject(connection, "a malformed REQUEST frame");
  }
  const Outcome outcome = run_application(exchange);
  switch (exchange.finish(outcome, "the application failed")) {
    case Connected::reuse:
      keep(connection);
      break;
    case Connected::close:
      close(connection);
      break;
    case Connected::released:
      break;
  }
}

Outcome ThreadPool::run_application(WorkerExchange& exchange) {
  gateway::Target target = exchange.target();
  target.process_group = settings_.process_group;
  if (!settings_.targets.serves(target)) {
    exchange.log(LogLevel::error, Message::target_refused,
                 fmt::format("process group '{}' is not configured to serve {}",
                             settings_.process_group, target.script));
    return {Outcome::Kind::refused, kInternalServerError};
  }
  while (true) {
    const Outcome outcome = engine_.run(target, exchange);
    const bool again = outcome.kind == Outcome::Kind::outdated && settings_.on_outdated &&
                       settings_.on_outdated(target.script) == WhenOutdated::run_again;
    if (!again) return outcome;
  }
}

// Only the request that broke the rules is lost; the child opens another connection.
void ThreadPool::reject(Connection& connection, std::string_view why) {
  log_.log(LogLevel::error, Message::frame_malformed,
           fmt::format("a connection to process group '{}' was closed: {}", settings_.process_group,
                       why));
  wire::FrameBatch batch;
  wire::encode_error({kInternalServerError, why}, batch.encoded());
  static_cast<void>(connection.write_some(batch));
  close(connection);
}

void ThreadPool::answer_retry(Connection& connection) {
  wire::FrameBatch batch;
  wire::encode_retry("the worker is draining", batch.encoded());
  if (connection.write(batch, settings_.socket_timeout) == Io::done) {
    keep(connection);
  } else {
    close(connection);
  }
}

// Another thread may have the connection as soon as it is watched again.
void ThreadPool::keep(Connection& connection) noexcept {
  if (!connection.drained()) return close(connection);
  const std::lock_guard order(handover_);
  if (!watch(EPOLL_CTL_MOD, connection.fd(), &connection, kOnce)) close(connection);
}

void ThreadPool::close(Connection& connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(&connection);
}

// A process that an application forks off would keep connections open that end with this one, and
// httpd would wait for replies that nobody sends.
void ThreadPool::close_descriptors() const noexcept {
  for (const auto& [tag, connection] : connections_) ::close(connection->fd());
  for (const int fd : {acceptor_.fd(), epoll_.get(), stop_event_.get(), pause_timer_.get()}) {
    ::close(fd);
  }
}

void ThreadPool::enter_request() {
  const std::lock_guard lock(mutex_);
  ++active_;
  if (settings_.on_load) settings_.on_load(active_);
}

void ThreadPool::leave_request() {
  const std::lock_guard lock(mutex_);
  --active_;
  if (settings_.on_load) settings_.on_load(active_);
}

void ThreadPool::drain() noexcept {
  draining_ = true;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, acceptor_.fd(), nullptr);
}

void ThreadPool::accept_connections(bool accept) noexcept {
  if (draining_) return;
  static_cast<void>(
      watch(accept ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, acceptor_.fd(), this, EPOLLIN | EPOLLONESHOT));
}

unsigned ThreadPool::requests_active() const {
  const std::lock_guard lock(mutex_);
  return active_;
}

std::vector<RunningRequest> ThreadPool::requests_running() const {
  std::vector<RunningRequest> requests;
  for (unsigned i = 0; i < threads_.size(); ++i) {
    if (const auto running = threads_[i]->exchange.running()) {
      requests.push_back({.thread = i,
                          .number = running->number,
                          .began = running->began,
                          .importing = running->importing});
    }
  }
  return requests;
}

std::optional<TimePoint> ThreadPool::last_end() const noexcept {
  std::optional<TimePoint> last;
  for (const auto& thread : threads_) last = std::max(last, thread->exchange.last_end());
  return last;
}

bool ThreadPool::stop(std::chrono::milliseconds budget) {
  rota_.close();
  const std::uint64_t one = 1;
  static_cast<void>(::write(stop_event_.get(), &one, sizeof one));
  std::unique_lock lock(mutex_);
  const auto ended = [this] { return threads_left_ == 0; };
  if (budget == std::chrono::milliseconds::max()) {
    changed_.wait(lock, ended);
  } else {
    changed_.wait_for(lock, budget, ended);
  }
  for (const auto& thread : threads_) {
    if (thread->ended) {
      thread->handle.join();
    } else {
      thread->handle.detach();
    }
  }
  return ended();
}

}  // namespace pyhost::worker
