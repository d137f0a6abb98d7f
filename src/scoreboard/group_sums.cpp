#include "scoreboard/group_sums.h"

#include <algorithm>

#include "scoreboard/tally.h"

namespace pyhost::scoreboard {
namespace {

void take_up(std::uint64_t& sum, const Total& total) noexcept {
  sum += total.load(std::memory_order_relaxed);
}

template <std::size_t kSize>
void take_up(std::uint64_t (&sums)[kSize], const Total (&totals)[kSize]) noexcept {
  for (std::size_t i = 0; i < kSize; ++i) take_up(sums[i], totals[i]);
}

template <const auto& kBounds>
void take_up(Histogram<std::uint64_t, kBounds>& sum,
             const Histogram<Total, kBounds>& total) noexcept {
  take_up(sum.buckets, total.buckets);
  take_up(sum.sum_us, total.sum_us);
}

void take_up(ApplicationTotals<std::uint64_t>& sum,
             const ApplicationTotals<Total>& total) noexcept {
  take_up(sum.requests, total.requests);
  take_up(sum.durations, total.durations);
  take_up(sum.interpreter_wait_us, total.interpreter_wait_us);
  take_up(sum.application_us, total.application_us);
  take_up(sum.writing_us, total.writing_us);
}

void take_up(RequestTotals<std::uint64_t>& sum, const RequestTotals<Total>& total) noexcept {
  take_up(sum.waits, total.waits);
  take_up(sum.waited, total.waited);
  take_up(sum.failures, total.failures);
  take_up(sum.body_bytes, total.body_bytes);
  take_up(sum.reply_bytes, total.reply_bytes);
  take_up(sum.busy_us, total.busy_us);
  take_up(sum.log_lines_dropped, total.log_lines_dropped);
  take_up(sum.questions, total.questions);
  take_up(sum.socket_messages_received, total.socket_messages_received);
  take_up(sum.socket_messages_sent, total.socket_messages_sent);
  take_up(sum.socket_closes, total.socket_closes);
}

void take_up(WorkerTotals<std::uint64_t>& sum, const WorkerTotals<Total>& total) noexcept {
  take_up(sum.starts, total.starts);
  take_up(sum.ends, total.ends);
  take_up(sum.ends_by_signal, total.ends_by_signal);
  take_up(sum.start_durations, total.start_durations);
  take_up(sum.deploys, total.deploys);
  take_up(sum.user_us, total.user_us);
  take_up(sum.system_us, total.system_us);
  take_up(sum.resident_bytes, total.resident_bytes);
  take_up(sum.proportional_bytes, total.proportional_bytes);
}

ApplicationTotals<std::uint64_t> sums_at(const BoardTotals& totals, std::uint32_t place) noexcept {
  ApplicationTotals<std::uint64_t> sum{};
  for (const TotalsStripe& stripe : totals.stripes) take_up(sum, stripe.applications[place]);
  return sum;
}

}  // namespace

GroupSums sums_of(const BoardTotals& totals) {
  GroupSums sums{};
  for (const TotalsStripe& stripe : totals.stripes) take_up(sums.requests, stripe.requests);
  take_up(sums.workers, totals.workers);
  for (std::uint32_t place = 0; place < kApplicationsMax; ++place) {
    // A place whose child was killed before it had named it, has counted nothing.
    if (totals.places[place].named.load(std::memory_order_acquire) == 0) continue;
    sums.applications.push_back({name_in(totals.places[place]), sums_at(totals, place)});
  }
  std::ranges::sort(sums.applications, {}, &ApplicationSums::name);
  sums.others = sums_at(totals, kOtherApplications);
  return sums;
}

}  // namespace pyhost::scoreboard
