// What one request takes.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "python/attached.h"

namespace pyhost::python {

// How often something was done, with how many bytes, and how long that took in all. Written and
// read by any thread.
class Tally {
 public:
  void add(std::uint64_t times, std::uint64_t bytes, base::Clock::duration time) noexcept {
    times_.fetch_add(times, std::memory_order_relaxed);
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
    time_.fetch_add(time.count(), std::memory_order_relaxed);
  }

  std::uint64_t times() const noexcept { return times_.load(std::memory_order_relaxed); }
  std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
  base::Clock::duration time() const noexcept {
    return base::Clock::duration(time_.load(std::memory_order_relaxed));
  }

 private:
  std::atomic<std::uint64_t> times_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::atomic<base::Clock::rep> time_ = 0;
};

// Of one thread, in microseconds.
struct ProcessorTime {
  std::int64_t user_us = 0;
  std::int64_t system_us = 0;

  std::int64_t total_us() const noexcept { return user_us + system_us; }
};

// Only requests that somebody wants to know of have one: it reads clocks.
class RequestMeter {
 public:
  Tally input;   // reads that brought something
  Tally output;  // blocks of the application, before they are cut to Content-Length
  Tally waits;   // for the interpreter's lock, of the thread that serves the request

  // The application is about to be called, and has done its work; by the thread that serves it. Of
  // a thread that does other things meanwhile, no processor time is known.
  enum class Thread { own, shared };
  void start(std::int64_t now_us, Thread thread = Thread::own) noexcept;
  void finish(std::int64_t now_us) noexcept;

  bool started() const noexcept { return start_us_ != 0; }
  // Microseconds since the epoch; never before the start.
  std::int64_t start_us() const noexcept { return start_us_; }
  std::int64_t finish_us() const noexcept { return finish_us_; }
  // Between the two; no more than the time that has passed.
  const ProcessorTime& processor_time() const noexcept { return used_; }

 private:
  std::int64_t start_us_ = 0;
  std::int64_t finish_us_ = 0;
  Thread thread_ = Thread::own;
  ProcessorTime at_start_;
  ProcessorTime used_;
};

// As DetachScope. What it waits for the lock behind that is counted where there is somebody to
// count it.
class MeteredDetach {
 public:
  MeteredDetach(Attached&, RequestMeter* meter_or_null) noexcept
      : meter_(meter_or_null), state_(PyEval_SaveThread()) {}
  MeteredDetach(const MeteredDetach&) = delete;
  MeteredDetach& operator=(const MeteredDetach&) = delete;
  ~MeteredDetach() {
    if (meter_ == nullptr) {
      PyEval_RestoreThread(state_);
    } else {
      restore_counted();
    }
  }

 private:
  void restore_counted() noexcept;

  RequestMeter* const meter_;
  PyThreadState* const state_;
};

}  // namespace pyhost::python
