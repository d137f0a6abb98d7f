#include "scoreboard/tally.h"

#include <pthread.h>

#include <algorithm>

#include "pyhost/gateway/target.h"
#include "scoreboard/text_words.h"

namespace pyhost::scoreboard {
namespace {

using std::chrono::microseconds;

std::uint64_t in_us(std::chrono::nanoseconds time) noexcept {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time / microseconds(1), 0));
}

std::size_t class_of(int status) noexcept {
  const int hundreds = std::clamp(status / 100, 1, static_cast<int>(kStatusClasses));
  return static_cast<std::size_t>(hundreds - 1);
}

// Not 0, which is a free place.
std::uint64_t key_of(std::string_view name) noexcept {
  return std::max<std::uint64_t>(gateway::script_key(name, ""), 1);
}

// Whoever finds a place of its name without a text writes the same one. So it does not matter who
// has been killed at it.
void write_name(ApplicationPlace& place, std::string_view name) noexcept {
  write_text(place.text, name);
  place.named.store(name.size() + 1, std::memory_order_release);
}

// Threads begin to look at different cells.
std::size_t first_look() noexcept {
  constexpr unsigned kPageBits = 12;
  const auto thread = static_cast<std::uint64_t>(::pthread_self());
  return static_cast<std::size_t>((thread >> kPageBits) * 0x9e3779b97f4a7c15ull >> 32);
}

}  // namespace

RequestRow Tally::row_for(base::TimePoint now) const noexcept {
  const auto began = static_cast<std::uint64_t>(now.time_since_epoch().count());
  const std::size_t first = first_look();
  for (std::size_t i = 0; i < requests_.cells.size(); ++i) {
    const RequestRow row = requests_.at((first + i) % requests_.cells.size());
    RequestCell& cell = *row.cell_or_null;
    std::uint64_t free = 0;
    if (cell.began_ns.load(std::memory_order_relaxed) == 0 &&
        cell.began_ns.compare_exchange_strong(free, began, std::memory_order_acq_rel)) {
      return row;
    }
  }
  return {};
}

std::uint32_t Tally::place_of(std::string_view application_group) const noexcept {
  if (application_group.size() > kApplicationNameBytesMax) return kOtherApplications;
  const std::uint64_t key = key_of(application_group);
  for (std::uint32_t i = 0; i < kApplicationsMax; ++i) {
    const auto at = static_cast<std::uint32_t>((key + i) % kApplicationsMax);
    ApplicationPlace& place = totals_->places[at];
    std::uint64_t taken = place.key.load(std::memory_order_relaxed);
    if (taken == 0 && place.key.compare_exchange_strong(taken, key, std::memory_order_relaxed)) {
      taken = key;
    }
    if (taken != key) continue;
    if (place.named.load(std::memory_order_relaxed) == 0) write_name(place, application_group);
    return at;
  }
  return kOtherApplications;
}

void Tally::count(const CountedRequest& request) const noexcept {
  const gateway::RequestTimes& times = request.times;
  auto& application = stripe_->applications[place_of(request.application_group)];
  add(application.requests[class_of(request.status)], 1);
  observe(application.durations, times.ended - times.arrived);
  add(application.interpreter_wait_us, in_us(request.figures.interpreter_wait));
  add(application.application_us, in_us(request.figures.application));
  add(application.writing_us, in_us(times.writing));

  RequestTotals<Total>& group = stripe_->requests;
  const bool waited = times.queued > base::Clock::duration::zero();
  if (waited || times.was_sent()) observe(group.waits, times.queued);
  if (waited) add(group.waited, 1);
  if (request.failure != gateway::FailureCause::none) {
    add(group.failures[static_cast<std::size_t>(request.failure)], 1);
  }
  add(group.body_bytes, request.body_bytes);
  add(group.reply_bytes, request.reply_bytes);
}

void Tally::note_busy(std::chrono::nanoseconds time) const noexcept {
  add(stripe_->requests.busy_us, in_us(time));
}

void Tally::count_question(gateway::QuestionKind kind) const noexcept {
  add(stripe_->requests.questions[static_cast<std::size_t>(kind)], 1);
}

void Tally::note_dropped_lines(std::uint64_t lines) const noexcept {
  add(stripe_->requests.log_lines_dropped, lines);
}

void Tally::count_messages(std::uint64_t received, std::uint64_t sent) const noexcept {
  add(stripe_->requests.socket_messages_received, received);
  add(stripe_->requests.socket_messages_sent, sent);
}

void Tally::count_close(std::uint16_t code) const noexcept {
  add(stripe_->requests.socket_closes[close_index_of(code)], 1);
}

std::string name_in(const ApplicationPlace& place) {
  const std::uint64_t named = place.named.load(std::memory_order_acquire);
  return read_text(place.text, named == 0 ? 0 : named - 1);
}

}  // namespace pyhost::scoreboard
