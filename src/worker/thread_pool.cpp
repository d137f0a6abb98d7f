#include "worker/thread_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/signals.h"
#include "control/worker_limits.h"

namespace pyhost::worker {

base::Result<std::unique_ptr<ThreadPool>> ThreadPool::start(gateway::Runner& runner,
                                                            base::UniqueFd listening,
                                                            PoolSettings settings,
                                                            base::LogSink& log,
                                                            std::function<void()> on_served) {
  std::unique_ptr<ThreadPool> pool(new ThreadPool(std::move(settings)));
  PH_TRY(connections, Connections::open(std::move(listening), pool->settings_, log));
  pool->connections_ = std::move(connections);
  pool->server_.emplace(runner, *pool->connections_, pool->settings_, log, std::move(on_served));
  for (unsigned i = 0; i < pool->settings_.group.threads; ++i) PH_TRY_VOID(pool->start_thread(log));
  return pool;
}

base::Result<> ThreadPool::start_thread(base::LogSink& log) {
  auto thread = std::make_unique<Thread>(log, settings_);
  PH_TRY(handle, base::NamedThread::start(fmt::format("wsgi-{}", threads_.size()),
                                          control::stack_bytes_of(settings_.group),
                                          [this, own = thread.get()] { run(*own); }));
  const std::lock_guard lock(mutex_);
  ++threads_left_;
  thread->handle = std::move(handle);
  threads_.push_back(std::move(thread));
  return {};
}

// A child that reads no more may be waiting for its client, which is for it to judge. The limit
// here is for a child that is stuck, and comes behind its own.
wire::Timeout ThreadPool::reply_timeout(const PoolSettings& settings) noexcept {
  constexpr std::chrono::seconds kBehindTheChild{2};
  const wire::Timeout longest =
      std::max(settings.socket_timeout, settings.group.response_socket_timeout);
  return longest == wire::kNoTimeout ? longest : longest + kBehindTheChild;
}

ThreadPool::~ThreadPool() {
  stop(std::chrono::milliseconds::max());
}

// At times one thread serves all requests and the others rest: the wake-ups of others and their
// contention for the interpreter's lock would cost more than requests that are short. WakePolicy
// says when.
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
  using Kind = Connections::Event::Kind;
  const Connections::Event event = connections_->wait();
  switch (event.kind) {
    case Kind::nothing:
      break;
    case Kind::message:
      wake_policy_.begin_request();
      server_->serve(*event.child, self.exchange);
      wake_policy_.end_request(&self);
      break;
    case Kind::stopped:
      return false;
    case Kind::broken:
      if (settings_.on_broken) settings_.on_broken(event.broken);
      return false;
  }
  return true;
}

void ThreadPool::drain(gateway::Leaving why) {
  server_->drain(why);
  connections_->end_accepting();
}

void ThreadPool::keep_only(base::UniqueFd listening, std::vector<std::uint64_t> scripts) {
  server_->keep_only(std::move(scripts));
  connections_->accept_at(std::move(listening));
}

std::vector<RunningRequest> ThreadPool::requests_running() const {
  std::vector<RunningRequest> requests;
  for (unsigned i = 0; i < threads_.size(); ++i) {
    if (const auto running = threads_[i]->exchange.clock().running()) {
      requests.push_back({.exchange = i,
                          .number = running->number,
                          .began = running->began,
                          .importing = running->importing});
    }
  }
  server_->add_running(requests);
  return requests;
}

std::optional<base::TimePoint> ThreadPool::last_end() const noexcept {
  std::optional<base::TimePoint> last = server_->last_end();
  for (const auto& thread : threads_) last = std::max(last, thread->exchange.clock().last_end());
  return last;
}

bool ThreadPool::with(const RunningRequest& request,
                      const std::function<void(WatchedRequest&)>& act) const {
  if (request.exchange == kInEventLoop) return server_->with(request.number, act);
  act(threads_[request.exchange]->exchange);
  return true;
}

std::string ThreadPool::runner_of(const RunningRequest& request) {
  if (request.exchange == kInEventLoop) return "an event loop";
  return fmt::format("thread wsgi-{}", request.exchange);
}

bool ThreadPool::stop(std::chrono::milliseconds budget) {
  wake_policy_.close();
  if (connections_) connections_->stop();
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
