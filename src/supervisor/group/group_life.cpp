#include "supervisor/group/group_life.h"

#include <algorithm>
#include <utility>

namespace pyhost::supervisor {

GroupLife::GroupLife(unsigned slots, LifeLimits limits)
    : slots_(slots, SlotLife(limits)), wanted_(slots) {}

void GroupLife::renew(unsigned slots, LifeLimits limits) {
  wanted_ = slots;
  for (unsigned i = 0; i < slots_.size(); ++i) {
    if (i < slots) {
      slots_[i].renew(limits);
    } else {
      slots_[i].remove();
    }
  }
  if (slots_.size() < slots) slots_.resize(slots, SlotLife(limits));
}

void GroupLife::roll(unsigned slot, pid_t pid, Fallback fallback,
                     base::TimePoint changed_at) noexcept {
  for (SlotLife& each : slots_) each.outdate(changed_at);
  slots_[slot].stand_by(pid, fallback, changed_at);
}

void GroupLife::remove() noexcept {
  wanted_ = 0;
  stop();
}

void GroupLife::stop() noexcept {
  for (SlotLife& slot : slots_) slot.remove();
}

std::vector<SlotOrder> GroupLife::step(base::TimePoint now, Releases releases) {
  while (slots_.size() > wanted_ && slots_.back().gone()) slots_.pop_back();
  if (releases == Releases::allowed) release();
  const std::vector<Renewal> renewals = this->renewals(now);
  std::vector<SlotOrder> orders;
  for (unsigned i = 0; i < slots_.size(); ++i) {
    for (const Order& order : slots_[i].step(now, renewals[i])) orders.push_back({i, order});
  }
  return orders;
}

void GroupLife::release() {
  std::optional<base::TimePoint> newest;
  unsigned bare = 0;  // without a worker that serves or may be put back
  for (const SlotLife& slot : slots_) {
    newest = std::max(newest, slot.current_since());
    if (!slot.serving()) ++bare;
  }
  if (!newest) return;
  // The next change may come at once, and be broken.
  const unsigned bare_max = std::max(1u, wanted_ / 2);
  for (SlotLife& slot : slots_) {
    if (bare < bare_max && slot.release(*newest)) ++bare;
  }
}

// By slot.
std::vector<Renewal> GroupLife::renewals(base::TimePoint now) const {
  const std::size_t extra_max = std::max(1u, wanted_ / 4);
  std::size_t extra = 0;
  std::vector<std::pair<base::TimePoint, unsigned>> waiting;
  for (unsigned i = 0; i < slots_.size(); ++i) {
    extra += slots_[i].extra_workers();
    if (const auto since = slots_[i].awaits_renewal(now)) waiting.emplace_back(*since, i);
  }
  std::ranges::sort(waiting);
  waiting.resize(std::min(waiting.size(), extra_max - std::min(extra, extra_max)));
  std::vector<Renewal> renewals(slots_.size(), Renewal::denied);
  for (const auto& [since, slot] : waiting) renewals[slot] = Renewal::allowed;
  return renewals;
}

std::optional<base::TimePoint> GroupLife::next_deadline() const noexcept {
  std::optional<base::TimePoint> next;
  for (const SlotLife& slot : slots_) {
    next = base::earliest(next, slot.next_deadline());
  }
  return next;
}

bool GroupLife::gone() const noexcept {
  return wanted_ == 0 && empty();
}

bool GroupLife::up_to_date() const noexcept {
  return std::ranges::all_of(slots_.begin(), slots_.begin() + wanted_, &SlotLife::up_to_date);
}

bool GroupLife::renewed_since(base::TimePoint moment) const noexcept {
  return std::ranges::all_of(slots_.begin(), slots_.begin() + wanted_,
                             [moment](const auto& slot) { return slot.renewed_since(moment); });
}

bool GroupLife::serves() const noexcept {
  return std::ranges::any_of(slots_,
                             [](const SlotLife& slot) { return slot.state() == SlotState::ready; });
}

bool GroupLife::empty() const noexcept {
  return std::ranges::all_of(slots_,
                             [](const SlotLife& slot) { return slot.state() == SlotState::empty; });
}

}  // namespace pyhost::supervisor
