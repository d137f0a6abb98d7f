#include "remote/asked_workers.h"

#include <utility>

namespace pyhost::remote {

void AskedWorkers::heed(std::uint32_t slot, std::uint32_t generation, Setback setback,
                        base::TimePoint now) {
  using Kind = Setback::Kind;
  switch (setback.kind) {
    case Kind::unreachable:
      avoided_[slot] = Avoided{.generation = generation, .until = base::TimePoint::max()};
      --attempts_left_;
      break;
    case Kind::hindered:
      avoided_[slot] = Avoided{.generation = generation, .until = now + kPostponement};
      if (!postponed_since_) postponed_since_ = now;
      break;
    case Kind::lacking:
      avoided_[slot] = Avoided{.generation = generation, .lacks_script = true};
      --attempts_left_;
      break;
    case Kind::silent:
      --departures_left_;
      break;
    case Kind::left:
    case Kind::foreign:
    case Kind::client_gone:
      break;
  }
  any_ = true;
  last_reason_ = std::move(setback.why);
}

const AskedWorkers::Avoided* AskedWorkers::find_or_null(std::uint32_t slot,
                                                        std::uint32_t generation) const noexcept {
  const auto& avoided = avoided_[slot];
  return avoided && avoided->generation == generation ? &*avoided : nullptr;
}

bool AskedWorkers::may_be_asked(std::uint32_t slot, std::uint32_t generation,
                                base::TimePoint now) const noexcept {
  const Avoided* avoided = find_or_null(slot, generation);
  return avoided == nullptr || now >= avoided->until;
}

bool AskedWorkers::lacks_script(std::uint32_t slot, std::uint32_t generation) const noexcept {
  const Avoided* avoided = find_or_null(slot, generation);
  return avoided != nullptr && avoided->lacks_script;
}

bool AskedWorkers::may_have_script_later(std::uint32_t slot, std::uint32_t generation,
                                         bool has) const noexcept {
  const Avoided* avoided = find_or_null(slot, generation);
  if (avoided == nullptr) return has;
  return !avoided->lacks_script && avoided->until != base::TimePoint::max();
}

}  // namespace pyhost::remote
