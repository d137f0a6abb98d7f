// How fast requests come and go. No clock and no threads of its own.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace pyhost::worker {

// Judges whether requests are so short and so many that one thread had better serve them all.
// Whenever that turns out to be wrong, it asks for twice as much evidence the next time.
class BurstMeter {
 public:
  // How many requests are looked at together, and how long they may take to count as fast.
  static constexpr std::uint64_t kWindow = 256;
  static constexpr std::chrono::milliseconds kFastWindow{64};
  // After so many windows without a stall, earlier ones are forgotten.
  static constexpr unsigned kForgetAfter = 256;

  explicit BurstMeter(base::TimePoint now) noexcept : window_began_(now) {}

  // Another kWindow requests are over.
  void end_window(base::TimePoint now) noexcept;
  // A request held up the others.
  void note_stall() noexcept;

  bool is_fast() const noexcept { return fast_windows_ >= fast_windows_needed_; }

 private:
  base::TimePoint window_began_;
  unsigned fast_windows_ = 0;  // in a row
  unsigned fast_windows_needed_ = 1;
};

}  // namespace pyhost::worker
