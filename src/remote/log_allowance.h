// How much one request may write to its log.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace pyhost::remote {

// Lets through what an application logs that means well, and bounds what one writes that does not:
// so much at once, and from then on so much a second. Not synchronised.
class LogAllowance {
 public:
  static constexpr double kRecordsAtOnce = 100'000;
  static constexpr double kRecordsPerSecond = 1'000;
  static constexpr double kBytesAtOnce = 16 << 20;
  static constexpr double kBytesPerSecond = 1 << 20;

  explicit LogAllowance(base::Clock::time_point now) noexcept : filled_at_(now) {}

  // Whether a text that makes a record of each pooled may be logged. Otherwise it is counted as
  // left out.
  bool admit(std::string_view text, base::Clock::time_point now) noexcept;

  struct LeftOut {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
  };
  // What was left out since the last call.
  LeftOut take_left_out() noexcept;

 private:
  double records_ = kRecordsAtOnce;
  double bytes_ = kBytesAtOnce;
  base::Clock::time_point filled_at_;
  LeftOut left_out_;
};

}  // namespace pyhost::remote
