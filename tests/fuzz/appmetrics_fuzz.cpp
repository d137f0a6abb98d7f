// Any bytes as the memory of application metrics: it is read in bounded time, what comes out can be
// shown, and neither a reset nor another worker's part harms the process.

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "appmetrics/lanes.h"
#include "appmetrics/names.h"
#include "appmetrics/reader.h"
#include "appmetrics/registry.h"
#include "appmetrics/reset.h"
#include "harness/metrics_memory.h"

namespace {

using namespace pyhost::appmetrics;

constexpr Shape kShape{.bytes = kMemoryBytesMin, .slots = 2, .lanes_per_slot = 2};

void require(bool condition) {
  if (!condition) std::abort();
}

void require_shown(const Family& family) {
  require(!family.name.empty() && family.name.size() <= kNameBytesMax);
  require(!family.name.starts_with(kReservedPrefix));
  for (const Sample& sample : family.samples) {
    require(sample.values.size() == family.labels.size());
    if (const auto* all = std::get_if<Distribution>(&sample.value)) {
      require(all->bounds.size() == all->numbers.size() && !all->bounds.empty());
    }
  }
}

// What a worker has left, so that inputs need only spoil it.
void fill(const Memory& memory) {
  Registry registry(memory, {.slot = 0, .lane = 0, .owner = 1});
  counter(registry, "orders", {"kind"}, {"a"}).add(1);
  gauge(registry, "busy", Merge::sum).set_gauge(1);
  gauge(registry, "at", Merge::last).set_gauge(1);
  const auto family = registry.family(
      {.kind = Kind::histogram, .merge = {}, .name = "h", .labels = {}, .bounds = {1, 2}}, "");
  registry.series({.family = *family, .part = Part::whole, .bound = 0, .values = {}},
                  Spread::stripes, 4);
}

}  // namespace

// The first two bytes say from where on the rest replaces what is in the memory.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const PlayedMemory played(kShape);
  fill(played.map());
  const std::size_t from = (data[0] | data[1] << 8) % kShape.bytes;
  std::memcpy(played.bytes().data() + from, data + 2, std::min(size - 2, kShape.bytes - from));
  const auto memory = Memory::over(played.bytes());
  if (!memory) return 0;
  for (const Family& family : read(*memory).families) require_shown(family);
  take_lane(*memory, {.slot = 1, .lane = 2, .owner = 7});
  Registry registry(*memory, {.slot = 1, .lane = 2, .owner = 7});
  counter(registry, "orders", {"kind"}, {"b"}).add(1);
  gauge(registry, "new", Merge::max).set_gauge(1);
  note_end_of(*memory, 1);
  reset(*memory);
  for (const Family& family : read(*memory).families) require_shown(family);
  return 0;
}
