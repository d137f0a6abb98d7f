#include "python/request_meter.h"

#include <sys/resource.h>

#include <algorithm>

namespace pyhost::python {
namespace {

std::int64_t microseconds_of(const timeval& time) noexcept {
  constexpr std::int64_t kSecond = 1'000'000;
  return time.tv_sec * kSecond + time.tv_usec;
}

ProcessorTime used_by_this_thread() noexcept {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return {microseconds_of(usage.ru_utime), microseconds_of(usage.ru_stime)};
}

// The kernel moves time between the two afterwards, and its clock is not the one of the day.
ProcessorTime between(const ProcessorTime& start, const ProcessorTime& end,
                      std::int64_t elapsed_us) noexcept {
  ProcessorTime used{std::max<std::int64_t>(end.user_us - start.user_us, 0),
                     std::max<std::int64_t>(end.system_us - start.system_us, 0)};
  const std::int64_t total = used.total_us();
  if (total <= elapsed_us) return used;
  used.user_us = used.user_us * elapsed_us / total;
  used.system_us = used.system_us * elapsed_us / total;
  return used;
}

}  // namespace

void RequestMeter::start(std::int64_t now_us, Thread thread) noexcept {
  start_us_ = now_us;
  thread_ = thread;
  if (thread == Thread::own) at_start_ = used_by_this_thread();
}

void RequestMeter::finish(std::int64_t now_us) noexcept {
  if (!started()) return;
  finish_us_ = std::max(now_us, start_us_);
  if (thread_ == Thread::shared) return;
  used_ = between(at_start_, used_by_this_thread(), finish_us_ - start_us_);
}

void MeteredDetach::restore_counted() noexcept {
  const base::TimePoint asked = base::Clock::now();
  PyEval_RestoreThread(state_);
  meter_->waits.add(1, 0, base::Clock::now() - asked);
}

}  // namespace pyhost::python
