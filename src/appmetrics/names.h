// Which names metrics and labels may have.
#pragma once

#include <string_view>

#include "appmetrics/record.h"
#include "pyhost/base/result.h"

namespace pyhost::appmetrics {

// Ours begin so.
inline constexpr std::string_view kReservedPrefix = "pyhost_";
// Its value is the process group, so an application's own label of the name is shown as another.
inline constexpr std::string_view kGroupLabel = "group";
inline constexpr std::string_view kExportedGroupLabel = "exported_group";

inline constexpr std::size_t kNameBytesMax = 200;
inline constexpr std::size_t kLabelsMax = 16;
inline constexpr std::size_t kBoundsMax = 100;

// Fails with a sentence that names the metric and what is wrong with it: its name or a label's, as
// Prometheus has them, or bounds of buckets that do not rise.
base::Result<> check_family(const FamilyKey& key);

}  // namespace pyhost::appmetrics
