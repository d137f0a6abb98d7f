// The metrics that there are.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace pyhost::metrics {

// Those of families.def.
enum class Family : std::size_t {
#define PH_FAMILY(name, type, unit, labels, help) name,
#include "metrics/families.def"
#undef PH_FAMILY
};

enum class MetricType { counter, gauge, histogram, info };

// "counter".
std::string_view name_of(MetricType type) noexcept;

struct FamilyInfo {
  std::string_view name;  // "pyhost_requests_total"
  MetricType type;
  std::string_view unit;    // "seconds"; "" for numbers
  std::string_view labels;  // "group, app"
  std::string_view help;
};

// By their number.
std::span<const FamilyInfo> all_families() noexcept;
const FamilyInfo& info_of(Family family) noexcept;

}  // namespace pyhost::metrics
