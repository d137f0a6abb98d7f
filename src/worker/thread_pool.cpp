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

#include "base/clock.h"
#include "base/out_of_memory.h"
#include "base/scope_exit.h"
#include "base/signals.h"

namespace pyhost::worker {
namespace {

using base::LogLevel;
using base::Message;
using gateway::Outcome;
using wire::Io;

constexpr unsigned kOnce = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;
constexpr unsigned kListens = EPOLLIN | EPOLLONESHOT;
constexpr int kInternalServerError = 500;
constexpr int kServiceUnavailable = 503;

// What an event is about; lines have the numbers behind these.
constexpr std::uint64_t kStopped = 0;
constexpr std::uint64_t kSomebodyConnects = 1;
constexpr std::uint64_t kPauseOver = 2;
constexpr std::uint64_t kFirstConnection = 3;

// Children close what they do not use, but one without requests does nothing at all.
constexpr std::chrono::seconds kIdleMax{60};
constexpr std::chrono::seconds kBetweenLooksAtLines{1};

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
      wake_policy_(settings_.threads),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      stop_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      pause_timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      acceptor_(
          std::move(listening), settings_.process_group, [this] { return make_room(); }, log_),
      connections_(kFirstConnection) {}

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
                     watch(EPOLL_CTL_ADD, stop_event_.get(), kStopped, EPOLLIN) &&
                     watch(EPOLL_CTL_ADD, pause_timer_.get(), kPauseOver, EPOLLIN | EPOLLET) &&
                     watch(EPOLL_CTL_ADD, acceptor_.fd(), kSomebodyConnects, kListens);
  if (!ready) {
    return base::fail(
        fmt::format("the worker's listening socket cannot be watched: {}", std::strerror(errno)));
  }
  return {};
}

bool ThreadPool::watch(int operation, int fd, std::uint64_t tag, unsigned events) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
}

void ThreadPool::run(Thread& self) noexcept {
  base::unblock_signals();
  do {
    wake_policy_.await_turn(&self);
  } while (heed_next(self));
  const std::lock_guard lock(mutex_);
  self.ended = true;
  --threads_left_;
  changed_.notify_all();
}

// False when the thread is to end.
bool ThreadPool::heed_next(Thread& self) noexcept {
  epoll_event event{};
  const int ready = ::epoll_wait(epoll_.get(), &event, 1, -1);
  if (ready < 0 && errno != EINTR) return note_broken("epoll set");
  if (ready != 1) return true;
  if (event.data.u64 == kStopped) return false;
  if (event.data.u64 == kPauseOver) return await_connection();
  if (event.data.u64 == kSomebodyConnects) {
    return base::unless_out_of_memory([this] { return accept_one(); }, [this] { return pause(); });
  }
  heed(event.data.u64, event.events, self);
  return true;
}

// An application may close any descriptor, also those of its process.
bool ThreadPool::note_broken(std::string_view what) const noexcept {
  if (settings_.on_broken) settings_.on_broken(what);
  return false;
}

void ThreadPool::heed(std::uint64_t id, unsigned events, Thread& self) noexcept {
  ChildConnection* child = nullptr;
  {
    const std::lock_guard lock(mutex_);
    child = connections_.take(id);
  }
  if (child == nullptr) return;
  // Whoever sent a request and left does not want it any more.
  if ((events & EPOLLRDHUP) != 0) return close(*child);
  wake_policy_.begin_request();
  base::unless_out_of_memory([&] { serve(*child, self.exchange); },
                             [&] {
                               log_.log(LogLevel::error, Message::memory_exhausted,
                                        "a request was not even read");
                               self.exchange.refuse_for_memory(child->connection);
                               close(*child);
                             });
  wake_policy_.end_request(&self);
}

// The same.
bool ThreadPool::await_connection() noexcept {
  const bool awaited = watch(EPOLL_CTL_MOD, acceptor_.fd(), kSomebodyConnects, kListens);
  // Gone from the set while nobody is accepted.
  return awaited || errno == ENOENT || note_broken("listening socket");
}

// The same.
bool ThreadPool::pause() noexcept {
  const bool begun = ::timerfd_settime(pause_timer_.get(), 0, &kShortagePause, nullptr) == 0;
  return begun || note_broken("timer");
}

// The same.
bool ThreadPool::accept_one() {
  auto [socket, waits, broken] = acceptor_.accept();
  if (broken) return note_broken("listening socket");
  if (!(waits ? pause() : await_connection())) return false;
  if (socket.valid()) welcome(std::move(socket));
  return true;
}

void ThreadPool::welcome(base::UniqueFd socket) {
  const auto peer = os::peer_of(socket.get());
  // The supervisor connects to see whether somebody is accepted.
  const bool may = peer && (peer->uid == settings_.httpd_uid || peer->pid == ::getppid());
  if (!may) {
    log_.log(LogLevel::error, Message::peer_refused,
             fmt::format("process {} of user {} connected to process group '{}'; only user {} may",
                         peer ? peer->pid : 0, peer ? peer->uid : 0, settings_.process_group,
                         settings_.httpd_uid));
    return;
  }
  wire::FrameBatch hello;
  wire::encode_hello({static_cast<std::uint32_t>(::getpid()), settings_.generation},
                     hello.encoded());
  const std::lock_guard lock(mutex_);
  ChildConnection& child = connections_.add(std::move(socket));
  const bool told = base::unless_out_of_memory(
      [&] { return child.connection.write_some(hello) == Io::done; }, [] { return false; });
  if (!told) return connections_.close(child.id);
  keep_locked(child, EPOLL_CTL_ADD);
}

// The descriptor that has been idle for the longest, for somebody who has none.
bool ThreadPool::make_room() {
  const std::lock_guard lock(mutex_);
  return connections_.close_idlest();
}

void ThreadPool::close_old_lines_locked(base::TimePoint now) {
  if (now < next_look_at_lines_) return;
  next_look_at_lines_ = now + kBetweenLooksAtLines;
  connections_.close_idle_since(now - kIdleMax);
}

// False when the child is closed.
bool ThreadPool::read_frame(ChildConnection& child, wire::Frame& frame, wire::Timeout timeout) {
  switch (child.connection.read_frame(frame, timeout)) {
    case Io::done:
      return true;
    case Io::malformed:
      reject(child, child.connection.fault());
      return false;
    case Io::timeout:
      reject(child, "a request that stopped half-way");
      return false;
    case Io::closed:
    case Io::reset:
      break;
  }
  close(child);
  return false;
}

// The same. Many programs run as httpd's user; only httpd knows the secret.
bool ThreadPool::hear_greeting(ChildConnection& child) {
  wire::Frame frame;
  // It is the beginning of the first message, so it comes as a whole.
  constexpr wire::Timeout kMoment = std::chrono::seconds(1);
  if (!read_frame(child, frame, std::min(settings_.socket_timeout, kMoment))) return false;
  child.greeted =
      frame.type == wire::FrameType::greeting && wire::greets(frame.payload, settings_.secret);
  if (child.greeted) {
    child.connection.trust_requests();
    return true;
  }
  const auto peer = os::peer_of(child.connection.fd());
  log_.log(LogLevel::error, Message::greeting_refused,
           fmt::format("process {} of user {} connected to process group '{}' and did not greet as "
                       "httpd does",
                       peer ? peer->pid : 0, peer ? peer->uid : 0, settings_.process_group));
  close(child);
  return false;
}

void ThreadPool::serve(ChildConnection& child, WorkerExchange& exchange) {
  wire::Frame frame;
  if (!child.greeted && !hear_greeting(child)) return;
  if (!read_frame(child, frame, settings_.socket_timeout)) return;
  // The child has gone, or is about to.
  if (frame.type == wire::FrameType::abort || frame.type == wire::FrameType::cancel) {
    return close(child);
  }
  if (frame.type != wire::FrameType::request) {
    return reject(child, fmt::format("a {} frame outside of a request", wire::name_of(frame.type)));
  }
  if (child.connection.is_cancelled()) return answer_retry(child, "the request was taken back");
  // Counted before the flag is looked at: whoever drains then sees one or the other.
  enter_request();
  const base::ScopeExit leave([this] {
    leave_request();
    on_served_();
  });
  if (draining_) {
    answer_retry(child, "the worker is draining");
  } else {
    serve_request(child, frame.payload, exchange);
  }
}

void ThreadPool::serve_request(ChildConnection& child, std::string_view payload,
                               WorkerExchange& exchange) {
  if (!exchange.begin(child.connection, payload, [this, &child] { keep(child); })) {
    return reject(child, "a malformed REQUEST frame");
  }
  const Outcome outcome = base::unless_out_of_memory(
      [&] { return run_application(exchange); },
      [&] {
        exchange.log(LogLevel::error, Message::memory_exhausted, "the request was not run");
        return Outcome{Outcome::Kind::refused, kServiceUnavailable};
      });
  switch (exchange.finish(outcome, "the application failed")) {
    case Connected::reuse:
      keep(child);
      break;
    case Connected::close:
      close(child);
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
  if (!keeps(target)) {
    Outcome outcome{Outcome::Kind::refused, kInternalServerError};
    outcome.import_failed = true;
    outcome.why = "the worker is kept for other scripts";
    return outcome;
  }
  while (true) {
    Outcome outcome = engine_.run(target, exchange);
    const bool again = outcome.kind == Outcome::Kind::outdated && settings_.on_outdated &&
                       settings_.on_outdated(target.script) == WhenOutdated::run_again;
    if (again) continue;
    if (outcome.import_failed && settings_.on_lack) settings_.on_lack(target, outcome.why);
    return outcome;
  }
}

bool ThreadPool::keeps(const gateway::Target& target) const {
  return !keeps_some_only_ ||
         std::ranges::find(kept_scripts_, script_key(target)) != kept_scripts_.end();
}

// Only the request that broke the rules is lost; the child opens another connection.
void ThreadPool::reject(ChildConnection& child, std::string_view why) {
  log_.log(LogLevel::error, Message::frame_malformed,
           fmt::format("a connection to process group '{}' was closed: {}", settings_.process_group,
                       why));
  wire::FrameBatch batch;
  wire::encode_error({kInternalServerError, why}, batch.encoded());
  static_cast<void>(child.connection.write_some(batch));
  close(child);
}

void ThreadPool::answer_retry(ChildConnection& child, std::string_view why) {
  wire::FrameBatch batch;
  wire::encode_retry({.reason = why}, batch.encoded());
  if (child.connection.write(batch, settings_.socket_timeout) == Io::done) {
    keep(child);
  } else {
    close(child);
  }
}

void ThreadPool::keep(ChildConnection& child) noexcept {
  if (!child.connection.drained()) return close(child);
  const std::lock_guard lock(mutex_);
  keep_locked(child, EPOLL_CTL_MOD);
}

// Another thread may have the child, or close it, as soon as the lock is given up.
void ThreadPool::keep_locked(ChildConnection& child, int operation) noexcept {
  const base::TimePoint now = std::chrono::steady_clock::now();
  connections_.set_idle(child, now);
  if (!watch(operation, child.connection.fd(), child.id, kOnce)) connections_.close(child.id);
  close_old_lines_locked(now);
}

void ThreadPool::close(const ChildConnection& child) {
  const std::lock_guard lock(mutex_);
  connections_.close(child.id);
}

// A process that an application forks off would keep connections open that end with this one, and
// httpd would wait for replies that nobody sends.
void ThreadPool::close_descriptors() const noexcept {
  connections_.close_descriptors();
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
      watch(accept ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, acceptor_.fd(), kSomebodyConnects, kListens));
}

void ThreadPool::keep_only(base::UniqueFd listening, std::vector<std::uint64_t> scripts) {
  kept_scripts_ = std::move(scripts);
  keeps_some_only_ = true;
  accept_connections(false);
  acceptor_.move_to(std::move(listening));
  accept_connections(true);
}

void ThreadPool::repeat_load() {
  const std::lock_guard lock(mutex_);
  if (settings_.on_load) settings_.on_load(active_);
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

std::optional<base::TimePoint> ThreadPool::last_end() const noexcept {
  std::optional<base::TimePoint> last;
  for (const auto& thread : threads_) last = std::max(last, thread->exchange.last_end());
  return last;
}

bool ThreadPool::stop(std::chrono::milliseconds budget) {
  wake_policy_.close();
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
