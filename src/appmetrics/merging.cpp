#include "appmetrics/merging.h"

#include <algorithm>
#include <bit>

namespace pyhost::appmetrics {
namespace {

std::uint64_t bits_of(const Memory& memory, const CellsPlace& place, std::uint64_t way,
                      std::uint32_t cell) noexcept {
  return memory.word(place.at + way * place.stride + cell).load(std::memory_order_relaxed);
}

double merge_two(double first, double second, Merge merge) noexcept {
  switch (merge) {
    case Merge::max:
      return std::max(first, second);
    case Merge::min:
      return std::min(first, second);
    case Merge::sum:
    case Merge::last:
    case Merge::live:
      break;
  }
  return first + second;
}

}  // namespace

// In the same order each time: then a sum of terms that do not fall does not fall either, however
// it is rounded.
double total_of(const Memory& memory, const CellsPlace& place, std::uint32_t cell) noexcept {
  double sum = 0;
  for (std::uint32_t way = 0; way < place.ways; ++way) {
    sum += std::bit_cast<double>(bits_of(memory, place, way, cell));
  }
  return sum;
}

std::optional<double> merged(const Memory& memory, const CellsPlace& place, Merge merge,
                             const CountedLanes& lanes) noexcept {
  const auto& counted = merge == Merge::live ? lanes.live : lanes.latest;
  std::optional<double> value;
  for (std::uint32_t way = 0; way < place.ways; ++way) {
    if (place.spread == Spread::lanes && (way >= counted.size() || !counted[way])) continue;
    const std::uint64_t bits = bits_of(memory, place, way, 0);
    if (bits == 0) continue;
    const double one = gauge_value(bits);
    value = value ? merge_two(*value, one, merge) : one;
  }
  return value;
}

}  // namespace pyhost::appmetrics
