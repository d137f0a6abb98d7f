#include "wsgi/block_pusher.h"

#include <chrono>
#include <utility>

#include "base/out_of_memory.h"
#include "base/thread.h"

namespace pyhost::wsgi {
namespace {

using std::chrono::milliseconds;

// How often it looks while there is something, and for how many looks behind that: whoever keeps
// something has not to wake it then.
constexpr milliseconds kTick{1};
constexpr unsigned kIdleTicks = 20;
// When a spare thread looks whether it is its turn.
constexpr milliseconds kTurnInterval{5};
// As much as httpd's filters may need.
constexpr std::size_t kStackBytes = base::kPythonStackBytes;

}  // namespace

void BlockPusher::List::add(Source& source) noexcept {
  source.next_ = nullptr;
  (empty() ? first_ : last_->next_) = &source;
  last_ = &source;
}

BlockPusher::Source& BlockPusher::List::take() noexcept {
  return *std::exchange(first_, first_->next_);
}

void BlockPusher::List::remove(Source& source) noexcept {
  List left;
  while (!empty()) {
    Source& other = take();
    if (&other != &source) left.add(other);
  }
  *this = left;
}

void BlockPusher::List::add_all(List& others) noexcept {
  while (!others.empty()) add(others.take());
}

bool BlockPusher::watch(Source& source) noexcept {
  using Stage = Source::Stage;
  const Lock lock(mutex_);
  if (threads_ == 0 && !start_thread()) return false;
  switch (source.stage_) {
    case Stage::absent:
      source.stage_ = Stage::listed;
      listed_.add(source);
      break;
    case Stage::pushed:
      source.stage_ = Stage::pushed_and_listed;
      break;
    case Stage::listed:
    case Stage::pushed_and_listed:
      break;
  }
  if (sleeps_) wakes_.notify_one();
  return true;
}

void BlockPusher::forget(Source& source) noexcept {
  using Stage = Source::Stage;
  Lock lock(mutex_);
  if (source.stage_ == Stage::pushed_and_listed) source.stage_ = Stage::pushed;
  settled_.wait(lock, [&source] { return source.stage_ != Stage::pushed; });
  if (source.stage_ == Stage::absent) return;
  listed_.remove(source);
  ready_.remove(source);
  source.stage_ = Stage::absent;
}

// They live as long as the process.
bool BlockPusher::start_thread() noexcept {
  return base::unless_out_of_memory(
      [this] {
        auto thread = base::NamedThread::start("wsgi-pusher", kStackBytes, [this] { run(); });
        if (!thread) return false;
        thread->detach();
        ++threads_;
        return true;
      },
      [] { return false; });
}

void BlockPusher::run() noexcept {
  Lock lock(mutex_);
  while (await_turn(lock)) {
    looks_ = true;
    await_tick(lock);
    looks_ = false;
    if (spares_ == 0) start_thread();
    push_ready(lock);
  }
  --threads_;
}

// False when there are others enough.
bool BlockPusher::await_turn(Lock& lock) noexcept {
  if (!looks_) return true;
  if (spares_ != 0) return false;
  ++spares_;
  while (looks_) {
    if (sleeps_) {
      turn_.wait(lock);
    } else {
      turn_.wait_for(lock, kTurnInterval);
    }
  }
  --spares_;
  return true;
}

void BlockPusher::await_tick(Lock& lock) noexcept {
  unsigned idle_ticks = 0;
  do {
    if (idle_ticks++ == kIdleTicks) {
      sleeps_ = true;
      wakes_.wait(lock, [this] { return !listed_.empty(); });
      sleeps_ = false;
      turn_.notify_one();
    }
    wakes_.wait_for(lock, kTick);
  } while (listed_.empty() && ready_.empty());
  ready_.add_all(listed_);
}

void BlockPusher::push_ready(Lock& lock) noexcept {
  using Stage = Source::Stage;
  while (!ready_.empty()) {
    Source& source = ready_.take();
    source.stage_ = Stage::pushed;
    lock.unlock();
    const bool pushed = source.push();
    lock.lock();
    const bool again = !pushed || source.stage_ == Stage::pushed_and_listed;
    source.stage_ = again ? Stage::listed : Stage::absent;
    if (again) listed_.add(source);
    settled_.notify_all();
  }
}

}  // namespace pyhost::wsgi
