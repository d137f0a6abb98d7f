#include "worker/burst_meter.h"

#include <algorithm>

#include "base/clock.h"

namespace pyhost::worker {

void BurstMeter::end_window(base::TimePoint now) noexcept {
  const bool fast = now - window_began_ < kFastWindow;
  window_began_ = now;
  fast_windows_ = fast ? fast_windows_ + 1 : 0;
  if (fast_windows_ >= fast_windows_needed_ + kForgetAfter) fast_windows_needed_ = 1;
}

void BurstMeter::note_stall() noexcept {
  fast_windows_ = 0;
  fast_windows_needed_ = std::min(fast_windows_needed_ * 2, kForgetAfter);
}

}  // namespace pyhost::worker
