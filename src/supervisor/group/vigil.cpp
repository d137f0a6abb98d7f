#include "supervisor/group/vigil.h"

namespace pyhost::supervisor {
namespace {

constexpr unsigned kLooksMax = Vigil::kPatience / Vigil::kBetweenLooks;

// A worker whose threads are all busy accepts nobody.
bool should_greet(const WorkerSight& sight) noexcept {
  return sight.silent && sight.has_thread;
}

}  // namespace

Vigil::Need Vigil::look(const WorkerSight& sight) noexcept {
  const bool patient = ++looks_ <= kLooksMax;
  switch (phase_) {
    case Phase::off:
      return sight.silent || sight.wanted ? enter(Phase::asking, Need::answer) : Need::nothing;
    case Phase::asking:
      return patient ? Need::answer : enter(Phase::lost, Need::not_running);
    case Phase::connecting:
      if (!should_greet(sight)) return enter(Phase::off, Need::nothing);
      return patient ? Need::greeting : enter(Phase::lost, Need::not_accepting);
    case Phase::lost:
      break;
  }
  return Need::nothing;
}

Vigil::Need Vigil::answered(const WorkerSight& sight) noexcept {
  if (phase_ != Phase::asking) return Need::nothing;
  return should_greet(sight) ? enter(Phase::connecting, Need::greeting)
                             : enter(Phase::off, Need::nothing);
}

void Vigil::greeted() noexcept {
  if (phase_ == Phase::connecting) phase_ = Phase::off;
}

Vigil::Need Vigil::enter(Phase phase, Need need) noexcept {
  phase_ = phase;
  looks_ = 0;
  return need;
}

}  // namespace pyhost::supervisor
