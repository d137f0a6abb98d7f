#include "supervisor/group_life.h"

#include <algorithm>

namespace pyhost::supervisor {

GroupLife::GroupLife(unsigned slots, LifeLimits limits)
    : slots_(slots, SlotLife(limits)), wanted_(slots) {}

void GroupLife::renew(unsigned slots, LifeLimits limits) {
  wanted_ = slots;
  for (unsigned i = 0; i < slots_.size(); ++i) {
    if (i < slots) {
      slots_[i].renew(limits);
    } else {
      slots_[i].retire();
    }
  }
  if (slots_.size() < slots) slots_.resize(slots, SlotLife(limits));
}

void GroupLife::roll(unsigned slot, pid_t pid, Fallback fallback) noexcept {
  for (SlotLife& each : slots_) each.outdate();
  slots_[slot].withdraw(pid, fallback);
}

void GroupLife::retire() noexcept {
  wanted_ = 0;
  stop();
}

void GroupLife::stop() noexcept {
  for (SlotLife& slot : slots_) slot.retire();
}

std::vector<SlotOrder> GroupLife::step(TimePoint now) {
  while (slots_.size() > wanted_ && slots_.back().gone()) slots_.pop_back();
  const unsigned extra_max = std::max(1u, wanted_ / 4);
  unsigned extra = 0;
  for (const SlotLife& slot : slots_) extra += slot.extra_workers();

  std::vector<SlotOrder> orders;
  for (unsigned i = 0; i < slots_.size(); ++i) {
    Renewal renewal = Renewal::denied;
    if (extra < extra_max && slots_[i].awaits_renewal(now)) {
      renewal = Renewal::allowed;
      ++extra;
    }
    for (const Order& order : slots_[i].step(now, renewal)) orders.push_back({i, order});
  }
  return orders;
}

std::optional<TimePoint> GroupLife::next_deadline() const noexcept {
  std::optional<TimePoint> next;
  for (const SlotLife& slot : slots_) {
    const auto deadline = slot.next_deadline();
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  return next;
}

bool GroupLife::gone() const noexcept {
  return wanted_ == 0 && empty();
}

bool GroupLife::up_to_date() const noexcept {
  return std::ranges::all_of(slots_.begin(), slots_.begin() + wanted_, &SlotLife::up_to_date);
}

bool GroupLife::renewed_since(TimePoint moment) const noexcept {
  return std::ranges::all_of(slots_.begin(), slots_.begin() + wanted_, [moment](const auto& slot) {
    return slot.renewed_since(moment);
  });
}

bool GroupLife::empty() const noexcept {
  return std::ranges::all_of(slots_,
                             [](const SlotLife& slot) { return slot.state() == SlotState::empty; });
}

}  // namespace pyhost::supervisor
