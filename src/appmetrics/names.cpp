#include "appmetrics/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/printable.h"

namespace pyhost::appmetrics {
namespace {

enum class Colons { allowed, refused };

bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_name(std::string_view name, Colons colons) noexcept {
  if (name.empty() || name.size() > kNameBytesMax) return false;
  const auto begins = [&](char c) {
    return is_letter(c) || (c == ':' && colons == Colons::allowed);
  };
  return begins(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return begins(c) || (c >= '0' && c <= '9'); });
}

base::Result<> check_label(const FamilyKey& key, std::string_view label) {
  if (!is_name(label, Colons::refused) || label.starts_with("__")) {
    return base::fail(fmt::format(
        "'{}' is no name for a label of {}: letters, digits and _ are allowed, no digit first, and "
        "not two _ at the beginning",
        base::printable(label), key.name));
  }
  if (label == "le" || label == "quantile" || label == kExportedGroupLabel) {
    return base::fail(
        fmt::format("{} cannot have a label '{}': the name is in use", key.name, label));
  }
  return {};
}

base::Result<> check_bounds(const FamilyKey& key) {
  const auto& bounds = key.bounds;
  const bool finite = std::ranges::all_of(bounds, [](double b) { return std::isfinite(b); });
  const bool rise = std::ranges::adjacent_find(bounds, std::greater_equal<>{}) == bounds.end();
  if (finite && rise && bounds.size() <= kBoundsMax) return {};
  return base::fail(
      fmt::format("the buckets of {} have to be at most {} numbers, each above the one before",
                  key.name, kBoundsMax));
}

}  // namespace

base::Result<> check_family(const FamilyKey& key) {
  if (!is_name(key.name, Colons::allowed)) {
    return base::fail(
        fmt::format("'{}' is no name for a metric: up to {} letters, digits, _ and : are allowed, "
                    "no digit first",
                    base::printable(key.name), kNameBytesMax));
  }
  if (key.name.starts_with(kReservedPrefix)) {
    return base::fail(
        fmt::format("'{}' is no name for a metric of an application: {} is mod_pyhost's", key.name,
                    kReservedPrefix));
  }
  if (key.labels.size() > kLabelsMax) {
    return base::fail(fmt::format("{} has more than {} labels", key.name, kLabelsMax));
  }
  for (auto label = key.labels.begin(); label != key.labels.end(); ++label) {
    PH_TRY_VOID(check_label(key, *label));
    if (std::find(key.labels.begin(), label, *label) != label) {
      return base::fail(fmt::format("{} has the label '{}' twice", key.name, *label));
    }
  }
  return check_bounds(key);
}

}  // namespace pyhost::appmetrics
