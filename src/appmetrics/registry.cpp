#include "appmetrics/registry.h"

#include <algorithm>

namespace pyhost::appmetrics {
namespace {

constexpr std::uint64_t kLowerHalf = 0xffff'ffff;

// Header::counter_chunk and gauge_chunk: where the chunk is, and how many of the cells in each of
// its lines are taken. A chunk has a line for each writer.
constexpr unsigned kChunkShift = 8;
constexpr std::uint64_t kTakenMask = (1u << kChunkShift) - 1;

constexpr std::uint32_t words_of_lines(std::uint64_t cells) noexcept {
  return static_cast<std::uint32_t>((cells + kCellsOfLine - 1) / kCellsOfLine * kCellsOfLine);
}

}  // namespace

// Lines begin where those of the cache do.
std::optional<std::uint64_t> Registry::take_words(std::uint64_t words) noexcept {
  Word<std::uint64_t>& end = memory_.header().heap_end;
  std::uint64_t at = end.load(std::memory_order_relaxed);
  const std::uint64_t taken = words_of_lines(words);
  while (true) {
    if (at < memory_.heap_start() || at % kCellsOfLine != 0 || !memory_.contains(at, taken)) {
      return std::nullopt;
    }
    if (end.compare_exchange_weak(at, at + taken, std::memory_order_relaxed)) return at;
  }
}

// If nobody has taken any behind it. Whoever takes it next finds what was left in it.
void Registry::give_words_back(std::uint64_t at, std::uint64_t words) noexcept {
  std::uint64_t end = at + words_of_lines(words);
  memory_.header().heap_end.compare_exchange_strong(end, at, std::memory_order_relaxed);
}

// Nothing when what is left of the chunk is too little.
std::optional<CellsPlace> Registry::take_from_chunk(Word<std::uint64_t>& chunk,
                                                    CellsPlace wanted) noexcept {
  std::uint64_t present = chunk.load(std::memory_order_relaxed);
  while (true) {
    const std::uint64_t at = present >> kChunkShift;
    const std::uint64_t taken = present & kTakenMask;
    if (at == 0 || taken + wanted.count > kCellsOfLine) return std::nullopt;
    if (chunk.compare_exchange_weak(present, present + wanted.count, std::memory_order_relaxed)) {
      wanted.at = static_cast<std::uint32_t>(at + taken);
      return wanted;
    }
  }
}

std::optional<CellsPlace> Registry::take_cells(Spread spread, std::uint32_t count) noexcept {
  CellsPlace place{.stride = words_of_lines(count), .count = count, .ways = 1, .spread = spread};
  if (spread == Spread::lanes) place.ways = static_cast<std::uint32_t>(memory_.lanes().size());
  if (spread == Spread::stripes) place.ways = memory_.stripes();
  Header& header = memory_.header();
  Word<std::uint64_t>& chunk = spread == Spread::lanes ? header.gauge_chunk : header.counter_chunk;
  const bool shares = spread != Spread::one && count < kCellsOfLine;
  if (shares) {
    if (const auto shared = take_from_chunk(chunk, place)) return shared;
  }
  const std::uint64_t words = std::uint64_t{place.stride} * place.ways;
  const auto at = take_words(words);
  if (!at) return std::nullopt;
  for (std::uint64_t i = 0; i < words; ++i) {
    memory_.word(*at + i).store(0, std::memory_order_relaxed);
  }
  // What another process has put there meanwhile stays unused, as what is left of the one before.
  if (shares) chunk.store(*at << kChunkShift | count, std::memory_order_relaxed);
  place.at = static_cast<std::uint32_t>(*at);
  return place;
}

// Ends at the record, at a free place, or when there is no other place.
std::optional<std::uint32_t> Registry::find(Search& search, RecordType type,
                                            std::string_view key) const noexcept {
  const auto index = memory_.index();
  for (; search.steps < index.size(); ++search.steps) {
    const std::uint64_t entry =
        index[(search.hash + search.steps) % index.size()].load(std::memory_order_acquire);
    if (entry == 0) return std::nullopt;
    const auto at = static_cast<std::uint32_t>(entry & kLowerHalf);
    if (entry >> kHashShift == search.hash >> kHashShift && has_key(memory_, at, type, key)) {
      return at;
    }
  }
  return std::nullopt;
}

std::optional<std::uint32_t> Registry::find_or_add(const RecordToWrite& record, Search search) {
  const std::uint32_t words = words_of(record);
  const auto at = take_words(words);
  if (!at) return std::nullopt;
  write_record(memory_, *at, record);
  const auto index = memory_.index();
  const std::uint64_t entry = search.hash >> kHashShift << kHashShift | *at;
  while (search.steps < index.size()) {
    std::uint64_t present = 0;
    // Behind the record that it leads to.
    if (index[(search.hash + search.steps) % index.size()].compare_exchange_strong(
            present, entry, std::memory_order_release)) {
      if (record.type == RecordType::series) {
        memory_.header().series.fetch_add(1, std::memory_order_relaxed);
      }
      return static_cast<std::uint32_t>(*at);
    }
    // Somebody was faster, with the same key or another one.
    if (const auto other = find(search, record.type, record.key)) {
      give_words_back(*at, words);
      return other;
    }
  }
  give_words_back(*at, words);
  return std::nullopt;
}

std::optional<std::uint32_t> Registry::family(const FamilyKey& key, std::string_view help) {
  const std::string bytes = encode(key);
  if (bytes.size() > kKeyBytesMax) return std::nullopt;
  Search search{hash_of(bytes)};
  auto at = find(search, RecordType::family, bytes);
  if (!at) {
    at = find_or_add(
        {.type = RecordType::family, .key = bytes, .note = help.substr(0, kNoteBytesMax)}, search);
  }
  if (at) used_word(memory_, *at) = memory_.header().uses.fetch_add(1) + 1;
  return at;
}

SeriesCells Registry::series(const SeriesKey& key, Spread spread, std::uint32_t cells) {
  Header& header = memory_.header();
  const SeriesCells none(header.dropped);
  const std::string bytes = encode(key);
  if (bytes.size() > kKeyBytesMax) return none;
  Search search{hash_of(bytes)};
  auto at = find(search, RecordType::series, bytes);
  if (!at) {
    if (header.series.load(std::memory_order_relaxed) >= kSeriesMax) return none;
    const auto place = take_cells(spread, cells);
    if (!place) return none;
    at = find_or_add({.type = RecordType::series, .key = bytes, .note = {}, .cells = *place},
                     search);
    if (!at) return none;
  }
  const auto found = cells_at(memory_, *at);
  const bool is_mine = found && found->count == cells && found->spread == spread;
  return is_mine ? SeriesCells(memory_, *found, seat_) : none;
}

bool Registry::may_complain() noexcept {
  return memory_.header().complained.exchange(1) == 0;
}

}  // namespace pyhost::appmetrics
