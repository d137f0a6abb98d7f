// What the requests of the process come to, for applications that ask.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "os/own_process.h"
#include "pyapi/duration_series.h"

namespace pyhost::pyapi {

// The parts of a request that are timed. The first four come one after the other.
enum class Phase {
  server,
  queue,
  daemon,
  application,
  request,
  gil_wait,
  input_read,
  output_write
};
inline constexpr std::size_t kPhases = 8;

// A request that is over.
struct CompletedRequest {
  std::array<std::optional<std::int64_t>, kPhases> phases_us;  // those that it had
  int status = 0;
  std::uint64_t gil_waits = 0;
  std::uint64_t input_bytes = 0;
  std::uint64_t input_reads = 0;
  std::uint64_t output_bytes = 0;
  std::uint64_t output_writes = 0;
  std::int64_t processor_us = 0;

  std::optional<std::int64_t>& operator[](Phase phase) noexcept {
    return phases_us[static_cast<std::size_t>(phase)];
  }
};

// Sums of requests.
struct RequestSums {
  std::uint64_t count = 0;
  std::array<DurationSeries, kPhases> phases;
  std::array<std::uint64_t, 5> statuses{};  // 1xx to 5xx
  std::uint64_t gil_waits = 0;
  std::uint64_t input_bytes = 0;
  std::uint64_t input_reads = 0;
  std::uint64_t output_bytes = 0;
  std::uint64_t output_writes = 0;

  void add(const CompletedRequest& request) noexcept;
};

// What one thread has done in a window of time.
struct ThreadFigures {
  std::uint64_t completed = 0;
  base::Clock::duration busy{};  // with requests that run, too
  std::int64_t processor_us = 0;
  base::Clock::duration longest{};          // of those that are over
  base::Clock::duration elapsed{};          // of the one that runs
  std::uint64_t completed_since_start = 0;  // of the recording
};

// A moment, by both clocks.
struct Moment {
  base::TimePoint point;
  std::int64_t us = 0;  // since the epoch
  os::ProcessorUse processor;
};

// What has happened between two moments.
struct Window {
  Moment start;
  Moment end;
  RequestSums sums;
  std::vector<ThreadFigures> threads;  // by their numbers, from 1
  unsigned threads_active = 0;         // that had a request
  unsigned threads_started = 0;        // that ever had one
};

// What has happened since the recording was started.
struct Totals {
  std::uint64_t count = 0;
  base::Clock::duration busy{};
  unsigned active = 0;
  std::vector<std::uint64_t> counts;  // of threads, by their numbers, from 1
};

// For the whole process, from any thread; what it knows belongs to no interpreter. Before start()
// it costs an atomic read.
class Recorder {
 public:
  Recorder() = default;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Only the first call counts.
  void start(const Moment& now);
  bool is_started() const noexcept { return started_.load(std::memory_order_acquire); }

  // The thread of that number has a request from now on; that of an event loop may have several.
  // PRECONDITION: is_started().
  void begin(int thread, base::TimePoint now);
  // One that it has had since `began` is over. Without a request to be counted when nothing has
  // come of it.
  void end(int thread, base::TimePoint began, base::TimePoint now,
           const std::optional<CompletedRequest>& request);

  // What has happened since start(), or since the last call. PRECONDITION: is_started().
  Window take_window(const Moment& now);
  Totals totals(base::TimePoint now) const;

 private:
  struct Thread {
    unsigned requests = 0;                 // that it has
    std::optional<base::TimePoint> since;  // that it has one
    ThreadFigures window;
    std::uint64_t completed = 0;
    bool used_in_window = false;
  };

  Thread& thread_locked(int number);

  std::atomic<bool> started_ = false;
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  Moment window_start_;
  RequestSums sums_;
  std::vector<Thread> threads_;
  std::uint64_t count_ = 0;
  base::Clock::duration busy_{};  // with requests that are over
};

}  // namespace pyhost::pyapi
