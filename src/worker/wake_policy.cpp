#include "worker/wake_policy.h"

namespace pyhost::worker {

void WakePolicy::await_turn(const void* thread) {
  const void* alone = alone_.load(std::memory_order_relaxed);
  if (alone == nullptr || alone == thread) return;
  std::unique_lock lock(mutex_);
  while (alone_ != nullptr && alone_ != thread) {
    if (watched_) {
      called_.wait(lock);
    } else {
      look(lock);
    }
  }
}

void WakePolicy::look(std::unique_lock<std::mutex>& lock) {
  const std::uint64_t before = ended_;
  watched_ = true;
  called_.wait_for(lock, kBetweenLooks);
  watched_ = false;
  if (alone_ == nullptr || ended_ != before) return;
  if (begun_ != ended_) bursts_.note_stall();
  call_all_locked();
}

void WakePolicy::end_request(const void* thread) noexcept {
  const std::uint64_t ended = ended_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (ended % BurstMeter::kWindow != 0 || threads_ == 1) return;
  const std::lock_guard lock(mutex_);
  bursts_.end_window(std::chrono::steady_clock::now());
  if (alone_ == nullptr && !closed_ && bursts_.is_fast()) alone_ = thread;
}

void WakePolicy::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  call_all_locked();
}

void WakePolicy::call_all_locked() {
  alone_ = nullptr;
  called_.notify_all();
}

}  // namespace pyhost::worker
