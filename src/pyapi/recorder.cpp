#include "pyapi/recorder.h"

#include <algorithm>
#include <utility>

namespace pyhost::pyapi {

void RequestSums::add(const CompletedRequest& request) noexcept {
  constexpr int kOneHundred = 100;
  ++count;
  for (std::size_t i = 0; i < kPhases; ++i) {
    if (request.phases_us[i]) phases[i].add(*request.phases_us[i]);
  }
  const auto status = static_cast<std::size_t>(request.status / kOneHundred - 1);
  if (status < statuses.size()) ++statuses[status];
  gil_waits += request.gil_waits;
  input_bytes += request.input_bytes;
  input_reads += request.input_reads;
  output_bytes += request.output_bytes;
  output_writes += request.output_writes;
}

void Recorder::start(const Moment& now) {
  const std::lock_guard lock(mutex_);
  if (started_) return;
  window_start_ = now;
  started_.store(true, std::memory_order_release);
}

Recorder::Thread& Recorder::thread_locked(int number) {
  const auto index = static_cast<std::size_t>(number) - 1;
  if (index >= threads_.size()) threads_.resize(index + 1);
  return threads_[index];
}

void Recorder::begin(int thread, base::TimePoint now) {
  const std::lock_guard lock(mutex_);
  Thread& own = thread_locked(thread);
  if (own.requests++ == 0) own.since = now;
  own.used_in_window = true;
}

void Recorder::end(int thread, base::TimePoint began, base::TimePoint now,
                   const std::optional<CompletedRequest>& request) {
  const std::lock_guard lock(mutex_);
  Thread& own = thread_locked(thread);
  if (--own.requests == 0) {
    const base::TimePoint since = *std::exchange(own.since, std::nullopt);
    own.window.busy += now - std::max(since, window_start_.point);
    busy_ += now - since;
  }
  if (!request) return;
  ++count_;
  ++own.completed;
  ++own.window.completed;
  own.window.processor_us += request->processor_us;
  own.window.longest = std::max(own.window.longest, now - began);
  sums_.add(*request);
}

Window Recorder::take_window(const Moment& now) {
  Window window{.start = {}, .end = now, .sums = {}, .threads = {}};
  const std::lock_guard lock(mutex_);
  window.threads.reserve(threads_.size());
  window.start = std::exchange(window_start_, now);
  window.sums = std::exchange(sums_, {});
  for (Thread& thread : threads_) {
    ThreadFigures figures = std::exchange(thread.window, {});
    if (thread.since) {
      figures.elapsed = now.point - *thread.since;
      figures.busy += now.point - std::max(*thread.since, window.start.point);
    }
    figures.completed_since_start = thread.completed;
    if (std::exchange(thread.used_in_window, thread.since.has_value())) ++window.threads_active;
    if (thread.completed != 0 || thread.since) ++window.threads_started;
    window.threads.push_back(figures);
  }
  return window;
}

Totals Recorder::totals(base::TimePoint now) const {
  Totals totals;
  const std::lock_guard lock(mutex_);
  totals.counts.reserve(threads_.size());
  totals.count = count_;
  totals.busy = busy_;
  for (const Thread& thread : threads_) {
    totals.counts.push_back(thread.completed);
    if (!thread.since) continue;
    ++totals.active;
    totals.busy += now - *thread.since;
  }
  return totals;
}

}  // namespace pyhost::pyapi
