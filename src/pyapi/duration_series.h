// How long something has taken, over and over.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace pyhost::pyapi {

// In microseconds. Not synchronised.
class DurationSeries {
 public:
  // From 1 ms on each octave has four classes of the same width, up to 65.536 s; the last one has
  // what is longer. What is shorter than 1 ms is in the first.
  static constexpr std::size_t kOctaves = 16;
  static constexpr std::size_t kClassesOfOctave = 4;
  static constexpr std::size_t kClasses = kOctaves * kClassesOfOctave + 1;

  static constexpr std::size_t class_of(std::int64_t us) noexcept {
    constexpr std::uint64_t kShortest = 1000;
    const auto milliseconds = static_cast<std::uint64_t>(us) / kShortest;
    if (milliseconds == 0) return 0;
    const auto octave = static_cast<std::size_t>(std::bit_width(milliseconds)) - 1;
    if (octave >= kOctaves) return kClasses - 1;
    const std::uint64_t start = kShortest << octave;
    const std::uint64_t width = start / kClassesOfOctave;
    return octave * kClassesOfOctave + (static_cast<std::uint64_t>(us) - start) / width;
  }

  void add(std::int64_t us) noexcept {
    us = std::max<std::int64_t>(us, 0);
    min_us_ = count_ == 0 ? us : std::min(min_us_, us);
    max_us_ = std::max(max_us_, us);
    sum_us_ += us;
    ++count_;
    ++classes_[class_of(us)];
  }

  std::uint64_t count() const noexcept { return count_; }
  std::int64_t sum_us() const noexcept { return sum_us_; }
  // Of something that was added.
  std::int64_t min_us() const noexcept { return min_us_; }
  std::int64_t max_us() const noexcept { return max_us_; }
  const std::array<std::uint64_t, kClasses>& classes() const noexcept { return classes_; }

 private:
  std::uint64_t count_ = 0;
  std::int64_t sum_us_ = 0;
  std::int64_t min_us_ = 0;
  std::int64_t max_us_ = 0;
  std::array<std::uint64_t, kClasses> classes_{};
};

}  // namespace pyhost::pyapi
