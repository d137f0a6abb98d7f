#include "appmetrics/reader.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "appmetrics/merging.h"

namespace pyhost::appmetrics {
namespace {

// What is honest takes each word of the memory once, and less text than this for each byte of it.
constexpr std::uint64_t kTextPerByte = 64;
// What stands in a line besides names and values of labels.
constexpr std::size_t kLineOverhead = 64;

// How much may still be done.
class Budget {
 public:
  explicit Budget(std::uint64_t left) noexcept : left_(left) {}

  bool spend(std::uint64_t amount) noexcept {
    if (amount > left_) return false;
    left_ -= amount;
    return true;
  }

 private:
  std::uint64_t left_;
};

struct KnownFamily {
  FamilyKey key;
  std::string help;
  std::uint64_t used;
};

// Parts of a series that come one by one.
struct Pieces {
  std::optional<double> sum;
  std::optional<double> count;
  std::map<double, double> buckets;  // by their bounds
};

bool belongs(Part part, Kind kind) noexcept {
  switch (part) {
    case Part::value:
      return kind == Kind::counter || kind == Kind::gauge;
    case Part::whole:
    case Part::bucket:
      return kind == Kind::histogram;
    case Part::sum:
      return kind == Kind::histogram || kind == Kind::summary;
    case Part::count:
      break;
  }
  return kind == Kind::summary;
}

std::size_t label_bytes(const FamilyKey& family, const std::vector<std::string>& values) noexcept {
  std::size_t bytes = family.name.size() + kLineOverhead;
  for (const std::string& label : family.labels) bytes += label.size();
  // Escaped, a byte may become four.
  for (const std::string& value : values) bytes += 4 * value.size();
  return bytes;
}

// One pass over a memory.
class MemoryReader {
 public:
  explicit MemoryReader(const Memory& memory)
      : memory_(memory),
        lanes_(counted_lanes(memory)),
        words_(2 * memory.size()),
        text_(kTextPerByte * memory.bytes().size()) {}

  Reading read();

 private:
  using Values = std::vector<std::string>;
  struct Contents {
    std::map<Values, std::variant<double, Distribution, Summary>> samples;
    std::map<Values, Pieces> pieces;
  };

  void take(const ReadRecord& record, std::uint32_t at);
  void forget_older_shapes();
  void add(const ReadRecord& record);
  void add_value(const SeriesKey& series, const CellsPlace& cells, const KnownFamily& family,
                 Contents& contents);
  void add_pieces();
  Family finished(const KnownFamily& family, Contents& contents) const;

  const Memory& memory_;
  const CountedLanes lanes_;
  Budget words_;
  Budget text_;
  std::map<std::uint32_t, KnownFamily> families_;  // by where they are
  std::vector<ReadRecord> series_;
  std::map<std::uint32_t, Contents> contents_;
};

void MemoryReader::take(const ReadRecord& record, std::uint32_t at) {
  if (record.type == RecordType::series) {
    const std::uint64_t cells = std::uint64_t{record.cells.ways} * record.cells.count;
    if (series_.size() < kSeriesMax && words_.spend(cells)) series_.push_back(record);
    return;
  }
  if (auto key = decode_family(record.key)) {
    families_.emplace(at, KnownFamily{*std::move(key), record.note, record.used});
  }
}

void MemoryReader::forget_older_shapes() {
  std::map<std::string, std::uint32_t> newest;
  for (const auto& [at, family] : families_) {
    const auto [known, is_first] = newest.emplace(family.key.name, at);
    if (!is_first && families_.at(known->second).used < family.used) known->second = at;
  }
  std::erase_if(families_, [&](const auto& family) {
    return newest.at(family.second.key.name) != family.first;
  });
}

void MemoryReader::add_value(const SeriesKey& series, const CellsPlace& cells,
                             const KnownFamily& family, Contents& contents) {
  const FamilyKey& key = family.key;
  if (series.part == Part::whole) {
    if (cells.count != key.bounds.size() + 2) return;
    Distribution all{.bounds = key.bounds, .numbers = {}, .sum = 0};
    all.bounds.push_back(std::numeric_limits<double>::infinity());
    for (std::uint32_t i = 0; i < cells.count - 1; ++i) {
      all.numbers.push_back(total_of(memory_, cells, i));
    }
    all.sum = total_of(memory_, cells, cells.count - 1);
    contents.samples.emplace(series.values, std::move(all));
    return;
  }
  if (series.part == Part::value) {
    const auto value = key.kind == Kind::gauge ? merged(memory_, cells, key.merge, lanes_)
                                               : total_of(memory_, cells);
    if (value) contents.samples.emplace(series.values, *value);
    return;
  }
  Pieces& pieces = contents.pieces[series.values];
  const double total = total_of(memory_, cells);
  if (series.part == Part::sum) pieces.sum = total;
  if (series.part == Part::count) pieces.count = total;
  if (series.part == Part::bucket) pieces.buckets[series.bound] = total;
}

void MemoryReader::add(const ReadRecord& record) {
  const auto series = decode_series(record.key);
  const auto found = series ? families_.find(series->family) : families_.end();
  if (found == families_.end()) return;
  const FamilyKey& key = found->second.key;
  const bool fits = belongs(series->part, key.kind) && series->values.size() == key.labels.size() &&
                    record.cells.spread == spread_of(key.kind, key.merge);
  const std::size_t lines = record.cells.count + 2;
  if (!fits || !text_.spend(lines * label_bytes(key, series->values))) return;
  add_value(*series, record.cells, found->second, contents_[series->family]);
}

// A histogram without its last bucket has not been made whole yet.
void MemoryReader::add_pieces() {
  for (auto& [at, contents] : contents_) {
    const Kind kind = families_.at(at).key.kind;
    for (auto& [values, pieces] : contents.pieces) {
      if (kind == Kind::summary) {
        contents.samples.emplace(values, Summary{pieces.count.value_or(0), pieces.sum.value_or(0)});
        continue;
      }
      if (pieces.buckets.empty() || !std::isinf(pieces.buckets.rbegin()->first)) continue;
      Distribution all{.bounds = {}, .numbers = {}, .sum = pieces.sum.value_or(0)};
      for (const auto& [bound, number] : pieces.buckets) {
        all.bounds.push_back(bound);
        all.numbers.push_back(number);
      }
      contents.samples.emplace(values, std::move(all));
    }
  }
}

Family MemoryReader::finished(const KnownFamily& family, Contents& contents) const {
  Family result{.kind = family.key.kind,
                .name = family.key.name,
                .help = family.help,
                .labels = family.key.labels,
                .samples = {}};
  for (auto& [values, value] : contents.samples) {
    result.samples.push_back({.values = values, .value = std::move(value)});
  }
  return result;
}

Reading MemoryReader::read() {
  constexpr std::uint64_t kLowerHalf = 0xffff'ffff;
  for (const Words& place : memory_.index()) {
    const std::uint64_t entry = place.load(std::memory_order_acquire);
    if (entry == 0) continue;
    const auto at = static_cast<std::uint32_t>(entry & kLowerHalf);
    const auto record = read_record(memory_, at);
    if (!record) continue;
    if (!words_.spend(record->words)) break;
    take(*record, at);
  }
  forget_older_shapes();
  for (const ReadRecord& record : series_) add(record);
  add_pieces();
  Reading reading{.families = {}, .dropped = memory_.header().dropped};
  for (const auto& [at, family] : families_) {
    reading.families.push_back(finished(family, contents_[at]));
  }
  std::ranges::sort(reading.families, {}, &Family::name);
  return reading;
}

}  // namespace

Reading read(const Memory& memory) {
  return MemoryReader(memory).read();
}

}  // namespace pyhost::appmetrics
