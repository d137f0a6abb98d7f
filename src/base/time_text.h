// Times, as people read them.
#pragma once

#include <fmt/format.h>

#include <string>

namespace pyhost::base {

// "0.4 ms", "12 ms", "1.2 s", "5 min", "3 h", "4 days".
inline std::string time_text(double seconds) {
  constexpr double kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour, kMilliseconds = 1000;
  if (seconds < 0.01) return fmt::format("{:.1f} ms", seconds * kMilliseconds);
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * kMilliseconds);
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  if (seconds < 2 * kMinute) return fmt::format("{:.0f} s", seconds);
  if (seconds < 2 * kHour) return fmt::format("{:.0f} min", seconds / kMinute);
  if (seconds < 2 * kDay) return fmt::format("{:.0f} h", seconds / kHour);
  return fmt::format("{:.0f} days", seconds / kDay);
}

}  // namespace pyhost::base
