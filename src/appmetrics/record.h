// What a record of the memory says: a family of metrics, or one series of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "appmetrics/memory.h"

namespace pyhost::appmetrics {

enum class Kind : std::uint8_t { counter, gauge, histogram, summary };
inline constexpr std::uint8_t kKinds = 4;

// What the gauges of several workers come to.
enum class Merge : std::uint8_t {
  sum,   // of what each slot's latest worker has set, and others that still live
  max,   // the same
  min,   // the same
  last,  // what was set last, by whomever
  live,  // the sum of those that live
};
inline constexpr std::uint8_t kMerges = 5;

// What a series has in its cells.
enum class Part : std::uint8_t {
  value,   // of a counter or gauge
  whole,   // of a histogram: how many there were in each bucket, and their sum
  sum,     // of a histogram or summary
  count,   // of a summary
  bucket,  // of a histogram: how many there were in one bucket
};
inline constexpr std::uint8_t kParts = 5;

// Which writers have a cell of their own.
enum class Spread : std::uint8_t {
  stripes,  // a few, which workers share: of what is only added to
  lanes,    // each worker
  one,      // none: all share it
};
inline constexpr std::uint8_t kSpreads = 3;
constexpr Spread spread_of(Kind kind, Merge merge) noexcept {
  if (kind != Kind::gauge) return Spread::stripes;
  return merge == Merge::last ? Spread::one : Spread::lanes;
}

// The key of a family: another one of these is another family, also of the same name.
struct FamilyKey {
  Kind kind = Kind::counter;
  Merge merge = Merge::sum;
  std::string name;  // a counter's without _total
  std::vector<std::string> labels;
  std::vector<double> bounds;  // of a histogram of whole series; the last is not infinite

  bool operator==(const FamilyKey&) const = default;
};

// The key of a series.
struct SeriesKey {
  std::uint32_t family = 0;  // where its record is
  Part part = Part::value;
  double bound = 0;                 // of a bucket; may be infinite
  std::vector<std::string> values;  // of the family's labels
};

// As bytes that are the same for the same key.
std::string encode(const FamilyKey& key);
std::string encode(const SeriesKey& key);
std::uint64_t hash_of(std::string_view key) noexcept;

// Where the cells of a series are: as many as `count` in each of as many lines as there are writers
// for, `stride` words from one to the next.
struct CellsPlace {
  std::uint32_t at = 0;
  std::uint32_t stride = 0;
  std::uint32_t count = 0;
  std::uint32_t ways = 0;
  Spread spread = Spread::stripes;
};

// Longer ones are not kept.
inline constexpr std::size_t kKeyBytesMax = 4096;
inline constexpr std::size_t kNoteBytesMax = 1024;

enum class RecordType : std::uint8_t { family = 1, series = 2 };

struct RecordToWrite {
  RecordType type;
  std::string_view key;
  std::string_view note = {};
  CellsPlace cells = {};
};

std::uint32_t words_of(const RecordToWrite& record) noexcept;
// Into words that nobody else knows of.
void write_record(const Memory& memory, std::uint64_t at, const RecordToWrite& record);

// Whether there is a record with that key.
bool has_key(const Memory& memory, std::uint64_t at, RecordType type,
             std::string_view key) noexcept;
// The cells of a series, within the memory; nothing when that is no series.
std::optional<CellsPlace> cells_at(const Memory& memory, std::uint64_t at) noexcept;
Word<std::uint64_t>& used_word(const Memory& memory, std::uint64_t at) noexcept;

// A record, read once: whatever its writers do meanwhile, it is one of its words' values.
struct ReadRecord {
  RecordType type;
  std::string key;
  std::string note;
  CellsPlace cells;
  std::uint64_t used = 0;
  std::uint32_t words = 0;  // that it takes
};

// Nothing where there is none. What it says of cells is within the memory.
std::optional<ReadRecord> read_record(const Memory& memory, std::uint64_t at);

// Nothing for what encode() does not make of names and labels that are allowed.
std::optional<FamilyKey> decode_family(std::string_view bytes);
std::optional<SeriesKey> decode_series(std::string_view bytes);

}  // namespace pyhost::appmetrics
