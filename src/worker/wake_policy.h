// Which of a pool's free threads wait for requests.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "worker/burst_meter.h"

namespace pyhost::worker {

// As a rule all of them do, so that each request is taken at once. But when thousands of short ones
// come in a second, waking a thread for each, only to let it contend for the interpreter's lock,
// costs more than the request: then one thread serves them all and the others rest. One of those
// looks now and then whether a request holds up the others, and if so calls all of them.
class WakePolicy {
 public:
  // How long requests may be held up until somebody looks; twice that at worst.
  static constexpr std::chrono::milliseconds kBetweenLooks{1};

  // For the whole of its life, the pool has that many threads.
  explicit WakePolicy(unsigned threads) noexcept
      : threads_(threads), bursts_(std::chrono::steady_clock::now()) {}

  // Before `thread`, which calls it, waits for events. Returns when it is to.
  void await_turn(const void* thread);
  // Around every request of the calling thread.
  void begin_request() noexcept { begun_.fetch_add(1, std::memory_order_relaxed); }
  void end_request(const void* thread) noexcept;
  // Calls everybody, for good. From any thread.
  void close();

 private:
  void look(std::unique_lock<std::mutex>& lock);
  void call_all_locked();

  const unsigned threads_;
  std::atomic<std::uint64_t> begun_ = 0;
  std::atomic<std::uint64_t> ended_ = 0;
  std::atomic<const void*> alone_ = nullptr;  // the thread that serves them all, if any
  std::mutex mutex_;
  std::condition_variable called_;
  bool watched_ = false;  // this and the next two are guarded by mutex_
  bool closed_ = false;
  BurstMeter bursts_;
};

}  // namespace pyhost::worker
