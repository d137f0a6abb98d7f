#include "python/starvation_watch.h"

#include <chrono>
#include <thread>

namespace pyhost::python {

#if PH_LOCK_STARVES_OTHER_INTERPRETERS

namespace {

using namespace std::chrono_literals;

constexpr auto kBetweenProbes = 5ms;
// CPython's own switch interval: a holder of the same interpreter has let go by then.
constexpr auto kProbePatience = 8ms;
constexpr auto kIdleBeforeSleep = 1s;
constexpr std::size_t kWatchStackBytes = 256 * 1024;

}  // namespace

void StarvationWatch::begin(Interpreter& main) {
  if (probe_) return;
  probe_ = std::make_unique<InterpreterExecutor>(main);
  if (!probe_->start()) return;
  auto thread = base::NamedThread::start("pyhost-watch", kWatchStackBytes, [this] { watch(); });
  if (thread) thread->detach();
}

void StarvationWatch::add(Interpreter& interpreter) {
  auto executor = std::make_unique<InterpreterExecutor>(interpreter);
  if (!executor->start()) return;
  const std::lock_guard lock(mutex_);
  executors_.push_back(std::move(executor));
}

void StarvationWatch::request_begins() noexcept {
  in_flight_.fetch_add(1, std::memory_order_seq_cst);
  if (!asleep_.load(std::memory_order_seq_cst)) return;
  const std::lock_guard lock(mutex_);
  wake_.notify_one();
}

void StarvationWatch::request_ends() noexcept {
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
}

void StarvationWatch::wait_for_requests() {
  std::unique_lock lock(mutex_);
  asleep_.store(true);
  wake_.wait(lock, [this] { return in_flight_.load() > 0; });
  asleep_.store(false);
}

void StarvationWatch::watch() {
  auto last_busy = std::chrono::steady_clock::now();
  while (true) {
    if (in_flight_.load(std::memory_order_relaxed) > 0) {
      last_busy = std::chrono::steady_clock::now();
    } else if (std::chrono::steady_clock::now() - last_busy > kIdleBeforeSleep) {
      wait_for_requests();
    }
    std::this_thread::sleep_for(kBetweenProbes);
    probe_->ask();
    if (probe_->answered_within(kProbePatience)) continue;
    const std::lock_guard lock(mutex_);
    for (const auto& executor : executors_) executor->ask();
  }
}

#else

void StarvationWatch::begin(Interpreter&) {}
void StarvationWatch::add(Interpreter&) {}
void StarvationWatch::request_begins() noexcept {}
void StarvationWatch::request_ends() noexcept {}

#endif

StarvationWatch::StarvationWatch() = default;
StarvationWatch::~StarvationWatch() = default;

}  // namespace pyhost::python
