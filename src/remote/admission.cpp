#include "remote/admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pyhost/base/scope_exit.h"

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
// How long a worker that has sent a request back is not asked again.
constexpr milliseconds kPostponement{20};

double seconds(milliseconds time) noexcept {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

Place::Place(Place&& other) noexcept
    : scoreboard_(std::exchange(other.scoreboard_, nullptr)),
      seat_(other.seat_),
      worker_(other.worker_) {}

Place::~Place() {
  if (scoreboard_ != nullptr) scoreboard_->give_place_back(seat_, worker_.slot);
}

Admission::Admission(metrics::Scoreboard& scoreboard, metrics::ChildSeat seat,
                     const RemoteSettings& settings, gateway::Exchange& exchange)
    : scoreboard_(scoreboard),
      seat_(seat),
      settings_(settings),
      exchange_(exchange),
      began_(Clock::now()),
      avoided_(settings.socket_paths.size()),
      attempts_left_(2 * static_cast<unsigned>(settings.socket_paths.size()) + 1) {}

bool Admission::is_candidate(const SlotStatus& worker, std::uint32_t slot) const noexcept {
  if (worker.state != SlotState::ready) return false;
  const auto& avoided = avoided_[slot];
  return !avoided || avoided->generation != worker.generation || Clock::now() >= avoided->until;
}

std::optional<Place> Admission::try_enter() {
  any_candidate_ = renewing_ = false;
  while (true) {
    threads_missing_ = 0;
    std::optional<std::uint32_t> best;
    SlotStatus chosen;
    for (std::uint32_t slot = 0; slot < settings_.socket_paths.size(); ++slot) {
      const SlotStatus worker = scoreboard_.status({settings_.group_index, slot});
      if (worker.state == SlotState::draining) renewing_ = true;
      if (!is_candidate(worker, slot)) {
        threads_missing_ += settings_.threads;
        continue;
      }
      any_candidate_ = true;
      if (worker.outstanding >= worker.threads) continue;
      if (best && worker.outstanding >= chosen.outstanding) continue;
      best = slot;
      chosen = worker;
    }
    if (!best) return std::nullopt;
    const Worker worker{{settings_.group_index, *best}, chosen.pid, chosen.generation};
    if (scoreboard_.take_place(seat_, worker.slot)) return Place(scoreboard_, seat_, worker);
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
  if (sent_back_ && Clock::now() >= began_ + patience()) return tl::unexpected(unreachable());
  if (auto place = try_enter()) return *std::move(place);
  // Who will be served as soon as a worker is back does not wait for anybody else.
  const std::uint32_t queue_max = settings_.queue_max + threads_missing_;
  if (!scoreboard_.enter_queue(seat_, settings_.group_index, queue_max)) {
    return tl::unexpected(
        Refusal{kServiceUnavailable, LogLevel::error, Message::queue_full,
                fmt::format("{} and {} requests wait already", state_of_workers(), queue_max)});
  }
  const base::ScopeExit leave([this] { scoreboard_.leave_queue(seat_, settings_.group_index); });
  auto look_at = began_ + kLookInterval;
  while (true) {
    const std::uint32_t seen = scoreboard_.changes(settings_.group_index);
    const Clock::time_point now = Clock::now();
    if (now >= look_at) {
      if (auto refusal = refusal_when_unwanted()) return tl::unexpected(*std::move(refusal));
      look_at = now + kLookInterval;
    }
    if (auto refusal = refusal_when_stopped()) return tl::unexpected(*std::move(refusal));
    if (auto place = try_enter()) return *std::move(place);
    if (auto refusal = refusal_when_late(now)) return tl::unexpected(*std::move(refusal));
    milliseconds at_most = sent_back_ ? kPostponement : kLookInterval;
    for (const milliseconds limit : {settings_.queue_timeout, patience()}) {
      const auto left = std::chrono::ceil<milliseconds>(began_ + limit - now);
      if (left > milliseconds::zero()) at_most = std::min(at_most, left);
    }
    scoreboard_.wait_for_change(settings_.group_index, seen, at_most);
  }
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
  if (!scoreboard_.is_stopped(settings_.group_index)) return std::nullopt;
  return Refusal{
      kServiceUnavailable, LogLevel::warn, Message::group_stopped,
      fmt::format("process group '{}' has been stopped by an operator", settings_.process_group)};
}

std::optional<Refusal> Admission::refusal_when_late(Clock::time_point now) const {
  if (!any_candidate_ && now >= began_ + patience()) return unreachable();
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
  sent_back_ = true;
  const SlotState state = scoreboard_.status(worker.slot).state;
  renewing_ = renewing_ || state == SlotState::draining;
}

void Admission::avoid_until(const Worker& worker, Clock::time_point moment, std::string why) {
  avoided_[worker.slot.slot] = {.generation = worker.generation, .until = moment};
  last_reason_ = std::move(why);
}

}  // namespace pyhost::remote
