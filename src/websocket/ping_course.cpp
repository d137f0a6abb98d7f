#include "websocket/ping_course.h"

#include <algorithm>

namespace pyhost::websocket {

PingCourse::Verdict PingCourse::look(base::TimePoint now, Reading reading) noexcept {
  if (now < due_) return Verdict::wait;
  if (waits_ && !heard_ && reading == Reading::on) {
    const bool is_late = now - due_ >= kBenefitOfDoubt;
    if (doubts_ && !is_late) return Verdict::gone;
    doubts_ = true;
    due_ = now + kBenefitOfDoubt;
    return Verdict::wait;
  }
  doubts_ = false;
  const base::TimePoint next = pinged_ + interval_;
  if (waits_ && next > now) {
    waits_ = false;
    due_ = next;
    return Verdict::wait;
  }
  pinged_ = now;
  heard_ = false;
  waits_ = true;
  due_ = now + timeout_;
  return Verdict::ping;
}

}  // namespace pyhost::websocket
