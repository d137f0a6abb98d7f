#include "remote/admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace pyhost::remote {
namespace {

using base::LogLevel;
using base::Message;
using metrics::SlotState;
using metrics::SlotStatus;
using std::chrono::milliseconds;

constexpr int kServiceUnavailable = 503;
constexpr int kGatewayTimeout = 504;
// How long a client may be gone without being noticed.
constexpr milliseconds kLookInterval{250};
// How long a worker that could not be asked is not asked again.
constexpr milliseconds kPostponement{20};
// A worker that makes room can wake those that wait, but not leave a call for one that is about to
// wait.
constexpr milliseconds kRoomInterval{5};

double seconds(milliseconds time) noexcept {
  return std::chrono::duration<double>(time).count();
}

std::uint32_t saturating_sum(std::uint32_t one, std::uint32_t other) noexcept {
  return one + std::min(other, std::numeric_limits<std::uint32_t>::max() - one);
}

}  // namespace

Place::Place(Place&& other) noexcept
    : scoreboard_(std::exchange(other.scoreboard_, nullptr)),
      seat_(other.seat_),
      held_(other.held_),
      worker_(other.worker_) {}

Place::~Place() {
  if (scoreboard_ != nullptr) scoreboard_->give_place_back(seat_, held_);
}

Admission::Admission(metrics::Scoreboard& scoreboard, metrics::ChildSeat seat,
                     const RemoteSettings& settings, gateway::Exchange& exchange)
    : scoreboard_(scoreboard),
      seat_(seat),
      settings_(settings),
      exchange_(exchange),
      began_(Clock::now()),
      last_candidate_at_(began_),
      avoided_(settings.socket_paths.size()),
      attempts_left_(2 * static_cast<unsigned>(settings.socket_paths.size()) + 1) {}

bool Admission::is_candidate(const SlotStatus& worker, std::uint32_t slot) const noexcept {
  if (worker.state != SlotState::ready) return false;
  const auto& avoided = avoided_[slot];
  return !avoided || avoided->generation != worker.generation || Clock::now() >= avoided->until;
}

Admission::Survey Admission::survey() {
  Survey found;
  any_candidate_ = renewing_ = worker_makes_room_ = false;
  threads_missing_ = 0;
  for (std::uint32_t slot = 0; slot < settings_.socket_paths.size(); ++slot) {
    const SlotStatus worker = scoreboard_.status(slot);
    if (worker.state == SlotState::draining) renewing_ = true;
    if (!is_candidate(worker, slot)) {
      if (worker.state == SlotState::ready) found.avoids_one = true;
      threads_missing_ += settings_.threads;
      continue;
    }
    any_candidate_ = true;
    if (worker.running > worker.outstanding) worker_makes_room_ = true;
    const std::uint32_t busy = worker.busy();
    if (busy >= worker.threads) continue;
    found.free_places += worker.threads - busy;
    if (found.best && busy >= found.best_busy) continue;
    found.best = Worker{slot, worker.pid, worker.generation};
    found.best_busy = busy;
  }
  return found;
}

std::optional<Place> Admission::take_place_at(const Worker& worker) {
  const auto held = scoreboard_.take_place(seat_, worker.slot);
  if (!held) return std::nullopt;
  return Place(scoreboard_, seat_, *held, worker);
}

std::optional<Place> Admission::try_enter() {
  while (const auto worker = survey().best) {
    if (auto place = take_place_at(*worker)) return place;
  }
  return std::nullopt;
}

std::optional<Place> Admission::try_enter_from(metrics::Waiter& waiter) {
  while (true) {
    const Survey found = survey();
    if (waiter.stand_aside(found.avoids_one)) continue;
    if (!waiter.may_take(found.free_places) || !found.best) return std::nullopt;
    waiter.step_out();
    if (auto place = take_place_at(*found.best)) return place;
    waiter.step_back();
  }
}

tl::expected<Place, Refusal> Admission::enter() {
  if (auto refusal = refusal_when_stopped()) return tl::unexpected(*std::move(refusal));
  if (attempts_left_ == 0) {
    return tl::unexpected(
        Refusal{kServiceUnavailable, LogLevel::error, Message::retries_exhausted,
                fmt::format("too many workers of process group '{}' in a row could not be reached",
                            settings_.process_group)});
  }
  if (postponed_since_ && Clock::now() >= *postponed_since_ + patience()) {
    return tl::unexpected(unreachable());
  }
  metrics::Queue queue = scoreboard_.queue();
  // A request that comes back from a worker has had its turn.
  if (comes_back_ || !queue.keeps_order()) {
    if (auto place = try_enter()) return *std::move(place);
  } else {
    survey();
  }
  // Who will be served as soon as a worker is back does not wait for anybody else.
  const std::uint32_t places = saturating_sum(settings_.queue_max, threads_missing_);
  auto waiter = queue.enter(seat_, places, began_);
  if (!waiter) return tl::unexpected(full(places));
  return wait_for_place(*waiter);
}

tl::expected<Place, Refusal> Admission::wait_for_place(metrics::Waiter& waiter) {
  auto look_at = began_ + kLookInterval;
  while (true) {
    waiter.listen();
    const Clock::time_point now = Clock::now();
    if (now >= look_at) {
      if (auto refusal = refusal_when_unwanted()) return tl::unexpected(*std::move(refusal));
      look_at = now + kLookInterval;
    }
    if (auto refusal = refusal_when_stopped()) return tl::unexpected(*std::move(refusal));
    if (auto place = try_enter_from(waiter)) return *std::move(place);
    if (any_candidate_) last_candidate_at_ = now;
    if (auto refusal = refusal_when_late(now)) return tl::unexpected(*std::move(refusal));
    waiter.wait_until(next_look(now));
  }
}

// When something may have happened that nobody calls for.
Admission::Clock::time_point Admission::next_look(Clock::time_point now) const noexcept {
  Clock::time_point next = now + (postponed_since_ ? kPostponement : kLookInterval);
  if (worker_makes_room_) next = now + kRoomInterval;
  for (const auto limit : {began_ + settings_.queue_timeout, last_candidate_at_ + patience()}) {
    if (limit > now) next = std::min(next, limit);
  }
  return next;
}

Refusal Admission::full(std::uint32_t waiting) const {
  return {kServiceUnavailable, LogLevel::error, Message::queue_full,
          fmt::format("{} and {} requests wait already", state_of_workers(), waiting)};
}

std::string Admission::state_of_workers() const {
  const std::string& group = settings_.process_group;
  return any_candidate_ ? fmt::format("all threads of process group '{}' are busy", group)
                        : fmt::format("no worker of process group '{}' is ready", group);
}

milliseconds Admission::patience() const noexcept {
  return renewing_ ? std::max(settings_.renewal_timeout, settings_.connect_timeout)
                   : settings_.connect_timeout;
}

Refusal Admission::unreachable() const {
  return {kServiceUnavailable, LogLevel::error, Message::worker_unreachable,
          fmt::format("no worker of process group '{}' could be reached within {:g} s: {}",
                      settings_.process_group, seconds(patience()), last_reason_)};
}

std::optional<Refusal> Admission::refusal_when_stopped() const {
  if (!scoreboard_.is_stopped()) return std::nullopt;
  return Refusal{
      kServiceUnavailable, LogLevel::warn, Message::group_stopped,
      fmt::format("process group '{}' has been stopped by an operator", settings_.process_group)};
}

std::optional<Refusal> Admission::refusal_when_late(Clock::time_point now) const {
  if (!any_candidate_ && now >= last_candidate_at_ + patience()) return unreachable();
  const milliseconds limit = settings_.queue_timeout;
  if (limit != milliseconds::zero() && now >= began_ + limit) {
    return Refusal{kGatewayTimeout, LogLevel::error, Message::queue_timeout,
                   fmt::format("{} after {:g} s of waiting", state_of_workers(), seconds(limit))};
  }
  return std::nullopt;
}

std::optional<Refusal> Admission::refusal_when_unwanted() const {
  if (exchange_.client_state() != gateway::ClientState::gone) return std::nullopt;
  return Refusal{status_of(gateway::BodyFault::client_gone), LogLevel::info, Message::client_left,
                 "the client left the queue"};
}

void Admission::avoid(const Worker& worker, std::string why) {
  avoid_until(worker, Clock::time_point::max(), std::move(why));
  --attempts_left_;
}

void Admission::postpone(const Worker& worker, std::string why) {
  avoid_until(worker, Clock::now() + kPostponement, std::move(why));
  if (!postponed_since_) postponed_since_ = Clock::now();
  const SlotState state = scoreboard_.status(worker.slot).state;
  renewing_ = renewing_ || state == SlotState::draining;
}

void Admission::come_back(std::string why) {
  comes_back_ = true;
  last_reason_ = std::move(why);
}

void Admission::avoid_until(const Worker& worker, Clock::time_point moment, std::string why) {
  avoided_[worker.slot] = {.generation = worker.generation, .until = moment};
  come_back(std::move(why));
}

}  // namespace pyhost::remote
