#include "metrics/families.h"

#include <algorithm>
#include <array>

namespace pyhost::metrics {
namespace {

constexpr auto kFamilies = std::to_array<FamilyInfo>({
#define PH_FAMILY(name, type, unit, labels, help) \
  {"pyhost_" #name, MetricType::type, unit, labels, help},
#include "metrics/families.def"
#undef PH_FAMILY
});

constexpr bool is_named_by_its_unit(const FamilyInfo& family) noexcept {
  std::string_view name = family.name;
  if (family.type == MetricType::counter) {
    if (!name.ends_with("_total")) return false;
    name.remove_suffix(std::string_view("_total").size());
  }
  return family.unit.empty() || name.ends_with(family.unit);
}

static_assert(std::ranges::all_of(kFamilies, is_named_by_its_unit),
              "a metric's name ends with its unit, and a counter's with _total behind it");

}  // namespace

std::string_view name_of(MetricType type) noexcept {
  switch (type) {
    case MetricType::counter:
      return "counter";
    case MetricType::gauge:
      return "gauge";
    case MetricType::histogram:
      return "histogram";
    case MetricType::info:
      break;
  }
  return "info";
}

std::span<const FamilyInfo> all_families() noexcept {
  return kFamilies;
}

const FamilyInfo& info_of(Family family) noexcept {
  return kFamilies[static_cast<std::size_t>(family)];
}

}  // namespace pyhost::metrics
