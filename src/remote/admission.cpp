#include "remote/admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/clock.h"
#include "pyhost/gateway/http_status.h"

namespace pyhost::remote {
namespace {

using base::LogLevel;
using base::Message;
using gateway::Refusal;
using scoreboard::SlotState;
using scoreboard::SlotStatus;
using std::chrono::milliseconds;

// How long workers that are being replaced may take without startup-timeout=.
constexpr milliseconds kUsualStart{60'000};
// A worker that makes room can wake those that wait, but not leave a call for one that is about to
// wait.
constexpr milliseconds kRoomInterval{5};

std::uint32_t saturating_sum(std::uint32_t one, std::uint32_t other) noexcept {
  return one + std::min(other, std::numeric_limits<std::uint32_t>::max() - one);
}

}  // namespace

Lease::Lease(Lease&& other) noexcept
    : scoreboard_(std::exchange(other.scoreboard_, nullptr)),
      child_(other.child_),
      held_(other.held_),
      worker_(other.worker_),
      resort_(other.resort_),
      taken_at_(other.taken_at_) {}

Lease::~Lease() {
  if (scoreboard_ == nullptr) return;
  scoreboard_->give_lease_back(child_, held_);
  scoreboard_->tally(child_).note_busy(base::Clock::now() - taken_at_);
}

Admission::Admission(scoreboard::Scoreboard& scoreboard, scoreboard::ChildId child,
                     const RemoteSettings& settings, gateway::Client& client, std::uint64_t script,
                     std::optional<milliseconds> patience)
    : scoreboard_(scoreboard),
      child_(child),
      settings_(settings),
      client_(client),
      script_(script),
      began_(base::Clock::now()),
      end_(patience ? std::optional(began_ + *patience) : std::nullopt),
      last_candidate_at_(began_),
      asked_(settings.socket_paths.size()) {}

bool Admission::has_script(std::uint32_t slot, const SlotStatus& worker) const noexcept {
  return !asked_.lacks_script(slot, worker.generation) && scoreboard_.serves(slot, script_);
}

bool Admission::may_be_asked(std::uint32_t slot, const SlotStatus& worker,
                             base::Clock::time_point now) const noexcept {
  return worker.state == SlotState::ready && asked_.may_be_asked(slot, worker.generation, now);
}

void Admission::Survey::add(std::uint32_t slot, const SlotStatus& worker) noexcept {
  any = true;
  if (worker.running > worker.outstanding) one_makes_room = true;
  const std::uint32_t busy = worker.busy();
  if (busy >= worker.capacity) return;
  free_leases += worker.capacity - busy;
  if (best && busy >= best_busy) return;
  best = Worker{slot, worker.pid, worker.generation};
  best_busy = busy;
}

// To ask one that is silent is better than to ask none: it may be about to wake up, and its
// successor takes over what it has not read.
Admission::Survey Admission::survey() {
  const Survey found = survey(Silent::left_out);
  return found.any ? found : survey(Silent::asked);
}

Admission::Survey Admission::survey(Silent silent) {
  Survey having, lacking;
  bool one_will_have = false;  // the script, although it cannot be asked now
  bool avoids_one = false;
  renewing_ = false;
  leases_missing_ = 0;
  const base::Clock::time_point now = base::Clock::now();
  for (std::uint32_t slot = 0; slot < settings_.socket_paths.size(); ++slot) {
    if (is_keeper(slot) && !scoreboard_.is_used(slot)) continue;
    const SlotStatus worker = scoreboard_.status(slot);
    const bool has = has_script(slot, worker);
    // It has other scripts, and nothing to do with this request.
    if (is_keeper(slot) && !has) continue;
    const bool left_out = worker.silent && silent == Silent::left_out;
    if (!left_out && may_be_asked(slot, worker, now)) {
      (has ? having : lacking).add(slot, worker);
      continue;
    }
    if (worker.state == SlotState::standby) renewing_ = true;
    if (worker.state == SlotState::ready && !left_out) avoids_one = true;
    const bool stays = worker.state == SlotState::ready || worker.state == SlotState::standby ||
                       worker.state == SlotState::draining;
    if (stays && asked_.may_have_script_later(slot, worker.generation, has)) one_will_have = true;
    if (!is_keeper(slot)) leases_missing_ += places_of_worker(settings_.group);
  }
  const bool as_last_resort = !having.any && !one_will_have;
  Survey found = as_last_resort ? lacking : having;
  found.resort = as_last_resort ? Resort::last : Resort::first;
  found.avoids_one = avoids_one || (!as_last_resort && lacking.any);
  any_candidate_ = found.any;
  worker_makes_room_ = found.one_makes_room;
  return found;
}

// PRECONDITION: it has found one.
std::optional<Lease> Admission::take_lease(const Survey& found) {
  const auto held = scoreboard_.take_lease(child_, found.best->slot);
  if (!held) return std::nullopt;
  return Lease(scoreboard_, child_, *held, *found.best, found.resort);
}

std::optional<Lease> Admission::try_enter() {
  while (true) {
    const Survey found = survey();
    if (!found.best) return std::nullopt;
    if (auto lease = take_lease(found)) return lease;
  }
}

std::optional<Lease> Admission::try_enter_from(scoreboard::Waiter& waiter) {
  while (true) {
    const Survey found = survey();
    if (waiter.stand_aside(found.avoids_one)) continue;
    if (!waiter.may_take(found.free_leases) || !found.best) return std::nullopt;
    waiter.step_out();
    if (auto lease = take_lease(found)) return lease;
    waiter.step_back();
  }
}

tl::expected<Lease, Refusal> Admission::enter() {
  if (auto refusal = refusal_when_stopped()) return tl::unexpected(*std::move(refusal));
  if (asked_.exhausted()) {
    return tl::unexpected(
        Refusal{gateway::kServiceUnavailable, Message::retries_exhausted,
                fmt::format("too many workers of process group '{}' in a row could not be reached",
                            settings_.group.name)});
  }
  if (const auto since = asked_.postponed_since();
      since && base::Clock::now() >= *since + patience()) {
    return tl::unexpected(unreachable());
  }
  scoreboard::Queue queue = scoreboard_.queue();
  // A request that comes back from a worker has had its turn.
  if (asked_.any() || !queue.keeps_order()) {
    if (auto lease = try_enter()) return *std::move(lease);
  } else {
    survey();
  }
  // Who will be served as soon as a worker is back does not wait for anybody else.
  const std::uint32_t room = saturating_sum(settings_.group.queue, leases_missing_);
  auto waiter = queue.enter(child_, room, began_);
  if (!waiter) return tl::unexpected(full(room));
  const auto since = base::Clock::now();
  auto lease = wait_for_lease(*waiter);
  waited_ += base::Clock::now() - since;
  return lease;
}

tl::expected<Lease, Refusal> Admission::wait_for_lease(scoreboard::Waiter& waiter) {
  auto look_at = began_ + kLookInterval;
  while (true) {
    waiter.listen();
    const base::Clock::time_point now = base::Clock::now();
    if (now >= look_at) {
      if (auto refusal = refusal_when_client_gone()) return tl::unexpected(*std::move(refusal));
      look_at = now + kLookInterval;
    }
    if (auto refusal = refusal_when_stopped()) return tl::unexpected(*std::move(refusal));
    if (auto lease = try_enter_from(waiter)) return *std::move(lease);
    if (any_candidate_) last_candidate_at_ = now;
    if (auto refusal = refusal_when_late(now)) return tl::unexpected(*std::move(refusal));
    waiter.wait_until(next_look(now));
  }
}

// When something may have happened that nobody calls for.
base::Clock::time_point Admission::next_look(base::Clock::time_point now) const noexcept {
  base::Clock::time_point next =
      now + (asked_.postponed_since() ? AskedWorkers::kPostponement : kLookInterval);
  if (worker_makes_room_) next = now + kRoomInterval;
  for (const auto limit :
       {began_ + settings_.group.queue_timeout, last_candidate_at_ + patience()}) {
    if (limit > now) next = std::min(next, limit);
  }
  if (end_) next = std::min(next, *end_);
  return next;
}

Refusal Admission::full(std::uint32_t waiting) const {
  return {gateway::kServiceUnavailable, Message::queue_full,
          fmt::format("{} and {} requests wait already", state_of_workers(), waiting)};
}

std::string Admission::state_of_workers() const {
  const std::string& group = settings_.group.name;
  return any_candidate_ ? fmt::format("all threads of process group '{}' are busy", group)
                        : fmt::format("no worker of process group '{}' is ready", group);
}

milliseconds Admission::patience() const noexcept {
  const settings::ProcessGroup& group = settings_.group;
  if (!renewing_) return group.connect_timeout;
  const milliseconds start =
      group.startup_timeout != milliseconds::zero() ? group.startup_timeout : kUsualStart;
  return std::max(start, group.connect_timeout);
}

Refusal Admission::unreachable() const {
  return {gateway::kServiceUnavailable, Message::worker_unreachable,
          fmt::format("no worker of process group '{}' could be reached within {:g} s: {}",
                      settings_.group.name, base::seconds(patience()), asked_.last_reason())};
}

std::optional<Refusal> Admission::refusal_when_stopped() const {
  if (!scoreboard_.is_stopped()) return std::nullopt;
  return Refusal{
      gateway::kServiceUnavailable, Message::group_stopped,
      fmt::format("process group '{}' has been stopped by an operator", settings_.group.name),
      LogLevel::warn};
}

std::optional<Refusal> Admission::refusal_when_late(base::Clock::time_point now) const {
  if (!any_candidate_ && now >= last_candidate_at_ + patience()) return unreachable();
  if (end_ && now >= *end_) {
    return Refusal{gateway::kServiceUnavailable, Message::hook_timeout,
                   fmt::format("{} after {:g} s of waiting", state_of_workers(),
                               base::seconds(std::chrono::floor<milliseconds>(*end_ - began_)))};
  }
  const milliseconds limit = settings_.group.queue_timeout;
  if (limit != milliseconds::zero() && now >= began_ + limit) {
    return Refusal{
        gateway::kGatewayTimeout, Message::queue_timeout,
        fmt::format("{} after {:g} s of waiting", state_of_workers(), base::seconds(limit))};
  }
  return std::nullopt;
}

std::optional<Refusal> Admission::refusal_when_client_gone() {
  if (!client_gone()) return std::nullopt;
  return Refusal{status_of(gateway::BodyFault::client_gone), Message::client_left,
                 "the client left the queue", LogLevel::info};
}

bool Admission::note_silence(const Worker& worker, std::chrono::nanoseconds since) {
  const SlotStatus now = scoreboard_.status(worker.slot);
  // It may be taken by what nobody waits for any more.
  const bool has_no_lease = now.generation == worker.generation && now.running >= now.capacity;
  if (!has_no_lease) scoreboard_.note_silence(worker.slot, worker.generation);
  return asked_.may_leave() && has_other(since < kSilenceMax ? Other::free : Other::any, worker);
}

// That is not silent.
bool Admission::has_other(Other which, const Worker& than) const noexcept {
  const base::Clock::time_point now = base::Clock::now();
  for (std::uint32_t slot = 0; slot < settings_.socket_paths.size(); ++slot) {
    const SlotStatus other = scoreboard_.status(slot);
    if (slot == than.slot && other.generation == than.generation) continue;
    const bool suits = which == Other::any || other.busy() < other.capacity;
    if (suits && !other.silent && may_be_asked(slot, other, now) && has_script(slot, other)) {
      return true;
    }
  }
  return false;
}

void Admission::note_sign_of_life(const Worker& worker) noexcept {
  scoreboard_.note_sign_of_life(worker.slot, worker.generation);
}

bool has_died(const scoreboard::Scoreboard& scoreboard, const Worker& worker) noexcept {
  const scoreboard::Death death = scoreboard.status(worker.slot).last_end;
  return death.cause != scoreboard::DeathCause::none && death.generation == worker.generation;
}

void Admission::heed(const Worker& worker, Setback setback) {
  if (setback.kind == Setback::Kind::hindered) {
    renewing_ = renewing_ || scoreboard_.status(worker.slot).state == SlotState::standby;
  }
  asked_.heed(worker.slot, worker.generation, std::move(setback), base::Clock::now());
}

}  // namespace pyhost::remote
