#include "appmetrics/cells.h"

#include <algorithm>

namespace pyhost::appmetrics {

SeriesCells::SeriesCells(const Memory& memory, const CellsPlace& place, const Seat& seat) noexcept
    : owner_(seat.owner), place_(place) {
  const std::uint32_t way = (place.spread == Spread::lanes ? seat.lane : seat.slot) % place.ways;
  first_ = &memory.word(place.at + std::uint64_t{way} * place.stride);
  if (place.spread == Spread::lanes) lane_ = &memory.lanes()[way % memory.lanes().size()];
}

void SeriesCells::observe(double value, std::span<const double> bounds) const noexcept {
  if (first_ == nullptr) return drop();
  const auto bucket = std::ranges::lower_bound(bounds, value) - bounds.begin();
  appmetrics::add(first_[bucket], 1);
  appmetrics::add(first_[bounds.size() + 1], value);
}

}  // namespace pyhost::appmetrics
