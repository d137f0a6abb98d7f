// Writing to the cells of a series: what an application does, so it costs a few nanoseconds.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "appmetrics/record.h"

namespace pyhost::appmetrics {

// The bits of a number that nobody sets, so that memory of zeroes is gauges without a value.
inline constexpr std::uint64_t kNoGauge = 0x7ff4'70'79'68'6f'73'74;

inline std::uint64_t gauge_bits(double value) noexcept {
  return std::bit_cast<std::uint64_t>(value) ^ kNoGauge;
}
// PRECONDITION: the cell has a value, so it is not 0.
inline double gauge_value(std::uint64_t bits) noexcept {
  return std::bit_cast<double>(bits ^ kNoGauge);
}

inline void add(Words& cell, double more) noexcept {
  std::uint64_t before = cell.load(std::memory_order_relaxed);
  while (!cell.compare_exchange_weak(
      before, std::bit_cast<std::uint64_t>(std::bit_cast<double>(before) + more),
      std::memory_order_relaxed)) {
  }
}

inline void add_to_gauge(Words& cell, double more) noexcept {
  std::uint64_t before = cell.load(std::memory_order_relaxed);
  while (!cell.compare_exchange_weak(before,
                                     gauge_bits((before == 0 ? 0.0 : gauge_value(before)) + more),
                                     std::memory_order_relaxed)) {
  }
}

// Who a process is among those of its group.
struct Seat {
  std::uint32_t slot = 0;   // what it counts is spread by it
  std::uint32_t lane = 0;   // of gauges
  std::uint32_t owner = 0;  // of that lane: the worker's generation, or the child's pid
};

// What one process writes to a series. Cheap to copy; the memory outlives it. Any thread may use
// it, also a copy. Without a cell it counts what it drops.
class SeriesCells {
 public:
  // Nowhere: nothing is counted.
  SeriesCells() noexcept = default;
  // Nowhere for want of room.
  explicit SeriesCells(Word<std::uint64_t>& dropped) noexcept : dropped_(&dropped) {}
  // Those of a seat. PRECONDITION: the place is within the memory.
  SeriesCells(const Memory& memory, const CellsPlace& place, const Seat& seat) noexcept;

  bool is_kept() const noexcept { return first_ != nullptr; }
  std::uint32_t count() const noexcept { return place_.count; }
  const CellsPlace& place() const noexcept { return place_; }

  void add(double more, std::uint32_t cell = 0) const noexcept {
    if (first_ == nullptr) return drop();
    appmetrics::add(first_[cell], more);
  }
  // A whole histogram's. PRECONDITION: it has these bounds.
  void observe(double value, std::span<const double> bounds) const noexcept;

  // A gauge of a process whose lane a later one has taken is left alone.
  void set_gauge(double value) const noexcept {
    if (Words* cell = gauge_or_null()) cell->store(gauge_bits(value), std::memory_order_relaxed);
  }
  void add_gauge(double more) const noexcept {
    if (Words* cell = gauge_or_null()) add_to_gauge(*cell, more);
  }

 private:
  void drop() const noexcept {
    if (dropped_ != nullptr) dropped_->fetch_add(1, std::memory_order_relaxed);
  }
  Words* gauge_or_null() const noexcept {
    if (first_ == nullptr) drop();
    const bool is_mine = lane_ == nullptr || lane_->owner.load(std::memory_order_relaxed) == owner_;
    return is_mine ? first_ : nullptr;
  }

  Words* first_ = nullptr;
  const Lane* lane_ = nullptr;  // of a gauge that each worker has by itself
  std::uint32_t owner_ = 0;
  Word<std::uint64_t>* dropped_ = nullptr;
  CellsPlace place_;
};

}  // namespace pyhost::appmetrics
