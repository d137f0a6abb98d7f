#include "appmetrics/lanes.h"

#include <algorithm>

#include "appmetrics/record.h"

namespace pyhost::appmetrics {
namespace {

// Of every gauge that each worker has by itself.
void clear_gauges(const Memory& memory, std::uint32_t lane) noexcept {
  for (const Words& place : memory.index()) {
    const std::uint64_t entry = place.load(std::memory_order_acquire);
    if (entry == 0) continue;
    const auto cells = cells_at(memory, static_cast<std::uint32_t>(entry));
    if (!cells || cells->spread != Spread::lanes || lane >= cells->ways) continue;
    memory.word(cells->at + std::uint64_t{lane} * cells->stride)
        .store(0, std::memory_order_relaxed);
  }
}

}  // namespace

void take_lane(const Memory& memory, const Seat& seat) noexcept {
  if (seat.lane >= memory.lanes().size()) return;
  Lane& lane = memory.lanes()[seat.lane];
  // From here on the one before writes there no more, if it still lives.
  lane.owner = 0;
  clear_gauges(memory, seat.lane);
  lane.owner = seat.owner;
}

void note_end(const Memory& memory, std::uint32_t lane, std::uint32_t owner) noexcept {
  if (lane >= memory.lanes().size() || owner == 0) return;
  memory.lanes()[lane].ended = owner;
}

void note_end_of(const Memory& memory, std::uint32_t owner) noexcept {
  for (Lane& lane : memory.lanes()) {
    if (lane.owner == owner) lane.ended = owner;
  }
}

CountedLanes counted_lanes(const Memory& memory) {
  const auto lanes = memory.lanes();
  CountedLanes counted{.live = std::vector<bool>(lanes.size()),
                       .latest = std::vector<bool>(lanes.size())};
  std::vector<std::uint32_t> owners(lanes.size());
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    owners[i] = lanes[i].owner;
    counted.live[i] = owners[i] != 0 && lanes[i].ended != owners[i];
  }
  for (std::size_t first = 0; first < lanes.size(); first += memory.lanes_per_slot()) {
    const std::size_t end = std::min<std::size_t>(first + memory.lanes_per_slot(), lanes.size());
    const std::uint32_t newest = *std::max_element(owners.begin() + first, owners.begin() + end);
    for (std::size_t i = first; i < end; ++i) {
      counted.latest[i] = counted.live[i] || (newest != 0 && owners[i] == newest);
    }
  }
  return counted;
}

}  // namespace pyhost::appmetrics
