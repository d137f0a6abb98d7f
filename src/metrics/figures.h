// What all metrics are at one moment.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "metrics/application_figures.h"
#include "metrics/families.h"

namespace pyhost::metrics {

// Totals are in microseconds, and metrics in seconds.
constexpr double in_seconds(std::uint64_t us) noexcept {
  constexpr double kPerSecond = 1e6;
  return static_cast<double>(us) / kPerSecond;
}

struct Label {
  std::string_view name;
  std::string value;  // any bytes

  bool operator==(const Label&) const = default;
};

// A histogram. How many values there were is the sum of the buckets.
struct Buckets {
  std::span<const std::uint64_t> bounds_us;
  std::vector<std::uint64_t> numbers;  // one more than there are bounds
  std::uint64_t sum_us = 0;
};

struct Sample {
  std::vector<Label> labels;
  std::variant<double, Buckets> value;
};

// Those of each family, in the order in which they were added. A value type.
class Figures {
 public:
  void add(Family family, std::vector<Label> labels, std::variant<double, Buckets> value) {
    samples_[static_cast<std::size_t>(family)].push_back({std::move(labels), std::move(value)});
  }
  std::span<const Sample> of(Family family) const noexcept {
    return samples_[static_cast<std::size_t>(family)];
  }
  ApplicationFigures& applications() noexcept { return applications_; }
  const ApplicationFigures& applications() const noexcept { return applications_; }

 private:
  std::vector<std::vector<Sample>> samples_ =
      std::vector<std::vector<Sample>>(all_families().size());
  ApplicationFigures applications_;
};

}  // namespace pyhost::metrics
