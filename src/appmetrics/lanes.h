// Whose gauges count.
#pragma once

#include <cstdint>
#include <vector>

#include "appmetrics/cells.h"
#include "appmetrics/memory.h"

namespace pyhost::appmetrics {

// Of the worker of a slot that writes that one of its two reports.
constexpr std::uint32_t lane_of(std::uint32_t slot, std::uint32_t report) noexcept {
  return 2 * slot + report % 2;
}

// A process is about to write its gauges: what the one before has left in the lane goes, but for
// what was set last. Before anything else of it is written.
void take_lane(const Memory& memory, const Seat& seat) noexcept;

// The process has ended. Does nothing when another one has the lane.
void note_end(const Memory& memory, std::uint32_t lane, std::uint32_t owner) noexcept;
// The same, of whichever lane the owner has.
void note_end_of(const Memory& memory, std::uint32_t owner) noexcept;

struct CountedLanes {
  std::vector<bool> live;
  // Those, and of each slot that of its latest worker, be it that it has ended.
  std::vector<bool> latest;
};
CountedLanes counted_lanes(const Memory& memory);

}  // namespace pyhost::appmetrics
