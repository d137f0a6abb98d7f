#include "appmetrics/reset.h"

#include "appmetrics/record.h"

namespace pyhost::appmetrics {

// What is honest has each cell once; beyond that nobody is waited for.
void reset(const Memory& memory) noexcept {
  std::uint64_t left = memory.size();
  for (const Words& place : memory.index()) {
    const std::uint64_t entry = place.load(std::memory_order_acquire);
    const auto cells =
        entry == 0 ? std::nullopt : cells_at(memory, static_cast<std::uint32_t>(entry));
    if (!cells) continue;
    const std::uint64_t words = std::uint64_t{cells->ways} * cells->count;
    if (words > left) return;
    left -= words;
    for (std::uint64_t way = 0; way < cells->ways; ++way) {
      for (std::uint64_t cell = 0; cell < cells->count; ++cell) {
        memory.word(cells->at + way * cells->stride + cell).store(0, std::memory_order_relaxed);
      }
    }
  }
  memory.header().complained = 0;
}

}  // namespace pyhost::appmetrics
