// Memory of application metrics without a file, and what the processes of a group do with it.
#pragma once

#include <cstring>
#include <memory>
#include <string>

#include "appmetrics/lanes.h"
#include "appmetrics/reader.h"
#include "appmetrics/registry.h"

namespace pyhost::appmetrics {

class PlayedMemory {
 public:
  explicit PlayedMemory(const Shape& shape)
      : lines_(std::make_unique<Line[]>(shape.bytes / sizeof(Line))), bytes_(shape.bytes) {
    lay_out(bytes(), shape);
  }

  Memory map() const { return *Memory::over(bytes()); }
  std::span<std::byte> bytes() const noexcept {
    return {reinterpret_cast<std::byte*>(lines_.get()), bytes_};
  }

 private:
  struct alignas(kLineBytes) Line {
    std::byte bytes[kLineBytes] = {};
  };

  std::unique_ptr<Line[]> lines_;
  std::size_t bytes_;
};

// A counter without labels.
inline SeriesCells counter(Registry& registry, const std::string& name,
                           std::vector<std::string> labels = {},
                           std::vector<std::string> values = {}) {
  const auto family = registry.family(
      {.kind = Kind::counter, .merge = {}, .name = name, .labels = std::move(labels), .bounds = {}},
      "help");
  if (!family) return SeriesCells(registry.memory().header().dropped);
  return registry.series({.family = *family, .part = {}, .bound = 0, .values = std::move(values)},
                         Spread::stripes, 1);
}

inline SeriesCells gauge(Registry& registry, const std::string& name, Merge merge) {
  const auto family = registry.family(
      {.kind = Kind::gauge, .merge = merge, .name = name, .labels = {}, .bounds = {}}, "");
  return registry.series({.family = *family, .part = {}, .bound = 0, .values = {}},
                         spread_of(Kind::gauge, merge), 1);
}

// Of the only sample of a family; -1 when it has none.
inline double value_in(const Reading& reading, std::string_view name) {
  for (const Family& family : reading.families) {
    if (family.name == name && family.samples.size() == 1) {
      return std::get<double>(family.samples.front().value);
    }
  }
  return -1;
}

}  // namespace pyhost::appmetrics
