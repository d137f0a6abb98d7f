// What is counted of a process group for ever: the rows of its board that only grow.
//
// Httpd's children count, because a worker cannot be believed, and dies. A child adds to one of a
// few stripes, which it shares with others, so that what it has added stays when it ends.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "pyhost/gateway/failure_cause.h"
#include "pyhost/gateway/question.h"
#include "scoreboard/death.h"
#include "scoreboard/start_reason.h"
#include "scoreboard/word.h"

namespace pyhost::scoreboard {

// On the board T is a Word; in a sum of what several have added it is a number.
using Total = Word<std::uint64_t>;

// Upper bounds of a histogram's buckets, in microseconds; there is one more, for what is above.
inline constexpr std::array<std::uint64_t, 15> kDurationBoundsUs{
    1'000,   2'500,     5'000,     10'000,    25'000,     50'000,     100'000,   250'000,
    500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000};
inline constexpr std::array<std::uint64_t, 17> kWaitBoundsUs{
    250,     500,     1'000,     2'500,     5'000,     10'000,     25'000,     50'000,    100'000,
    250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000};

// How many values there were, is the sum of the buckets: so no reader sees another number.
template <class T, const auto& kBounds>
struct Histogram {
  T buckets[kBounds.size() + 1];
  T sum_us;
};
template <class T>
using Durations = Histogram<T, kDurationBoundsUs>;
template <class T>
using Waits = Histogram<T, kWaitBoundsUs>;

// 1xx to 5xx.
inline constexpr std::size_t kStatusClasses = 5;

// Of one application group.
template <class T>
struct ApplicationTotals {
  T requests[kStatusClasses];
  Durations<T> durations;
  T interpreter_wait_us;
  T application_us;
  T writing_us;
};

inline constexpr std::size_t kQuestionKinds =
    static_cast<std::size_t>(gateway::QuestionKind::dispatch) + 1;

// Ends of WebSockets are counted by their codes (RFC 6455, 7.4): 1000 to 1015, then those of
// libraries, then those of applications.
inline constexpr std::size_t kSocketCloses = 18;
constexpr std::size_t close_index_of(std::uint16_t code) noexcept {
  constexpr std::uint16_t kFirst = 1000, kLast = 1015, kApplications = 4000;
  if (code >= kFirst && code <= kLast) return std::size_t{code} - kFirst;
  return code < kApplications ? kSocketCloses - 2 : kSocketCloses - 1;
}

// Of the whole group, whichever application it was.
template <class T>
struct RequestTotals {
  Waits<T> waits;
  T waited;                             // requests that found no free thread
  T failures[gateway::kFailureCauses];  // by their number
  T body_bytes;
  T reply_bytes;
  T busy_us;            // threads
  T log_lines_dropped;  // of workers
  T questions[kQuestionKinds];
  T socket_messages_received;  // by applications
  T socket_messages_sent;
  T socket_closes[kSocketCloses];
};

// The ends of workers are counted by cause; the first cause stands for those that were in order.
inline constexpr std::size_t kEndKinds = static_cast<std::size_t>(DeathCause::silence) + 1;
inline constexpr std::size_t kSignals = 65;

enum class DeployResult : std::size_t { ok, broken };
inline constexpr std::size_t kDeployResults = 2;

// What the supervisor counts, and nobody else writes.
template <class T>
struct WorkerTotals {
  T starts[kStartReasons];
  T ends[kEndKinds];
  T ends_by_signal[kSignals];  // of those that a signal has ended
  Durations<T> start_durations;
  T deploys[kDeployResults];
  T user_us;  // processor time, with that of workers that have ended
  T system_us;
  // These two fall as well: what living workers had when it was last looked.
  T resident_bytes;
  T proportional_bytes;
};

inline void add(Total& total, std::uint64_t more) noexcept {
  if (more != 0) total.fetch_add(more, std::memory_order_relaxed);
}

template <const auto& kBounds>
void observe(Histogram<Total, kBounds>& histogram, std::chrono::nanoseconds value) noexcept {
  const auto us =
      static_cast<std::uint64_t>(std::max<std::int64_t>(value / std::chrono::microseconds(1), 0));
  const auto bucket = std::ranges::lower_bound(kBounds, us) - kBounds.begin();
  add(histogram.buckets[bucket], 1);
  add(histogram.sum_us, us);
}

}  // namespace pyhost::scoreboard
