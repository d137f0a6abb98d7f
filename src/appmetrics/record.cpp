#include "appmetrics/record.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "appmetrics/names.h"

namespace pyhost::appmetrics {
namespace {

constexpr std::size_t kWordBytes = sizeof(std::uint64_t);
// RecordHead::sizes: the type, the bytes of the key, those of the note, and how cells are spread.
constexpr unsigned kKeyShift = 8;
constexpr unsigned kNoteShift = 32;
constexpr unsigned kSpreadShift = 48;
constexpr std::uint64_t kSizeMask = 0xffff;
// RecordHead::cells and shape: two numbers each.
constexpr unsigned kUpper = 32;

constexpr std::uint32_t words_for(std::size_t bytes) noexcept {
  return static_cast<std::uint32_t>((bytes + kWordBytes - 1) / kWordBytes);
}

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint16_t>(std::min<std::size_t>(text.size(), UINT16_MAX)));
  out.append(text);
}

void put_texts(std::string& out, const std::vector<std::string>& texts) {
  put(out, static_cast<std::uint16_t>(texts.size()));
  for (const std::string& text : texts) put_text(out, text);
}

// Takes a key apart. What is missing makes it fail, and leaves zeroes.
class KeyReader {
 public:
  explicit KeyReader(std::string_view rest) noexcept : rest_(rest) {}

  template <class T>
  T take() noexcept {
    T value{};
    if (rest_.size() < sizeof value) {
      failed_ = true;
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  std::string take_text() {
    const auto size = take<std::uint16_t>();
    if (rest_.size() < size) {
      failed_ = true;
      return {};
    }
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }
  std::vector<std::string> take_texts() {
    std::vector<std::string> texts;
    for (auto left = take<std::uint16_t>(); left > 0 && !failed_; --left) {
      texts.push_back(take_text());
    }
    return texts;
  }
  bool is_done() const noexcept { return !failed_ && rest_.empty(); }
  bool failed() const noexcept { return failed_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

struct Sizes {
  std::uint64_t type;
  std::size_t key;
  std::size_t note;
  std::uint64_t spread;

  std::uint32_t words() const noexcept { return kRecordHeadWords + words_for(key + note); }
};

Sizes unpack_sizes(std::uint64_t word) noexcept {
  constexpr std::uint64_t kTypeMask = 0xff;
  return {word & kTypeMask, word >> kKeyShift & kSizeMask, word >> kNoteShift & kSizeMask,
          word >> kSpreadShift};
}

// Nothing when it is not within the memory.
std::optional<Sizes> sizes_at(const Memory& memory, std::uint64_t at) noexcept {
  if (at < memory.heap_start() || !memory.contains(at, kRecordHeadWords)) return std::nullopt;
  const Sizes sizes = unpack_sizes(memory.word(at).load(std::memory_order_relaxed));
  if (sizes.key > kKeyBytesMax || sizes.note > kNoteBytesMax ||
      !memory.contains(at, sizes.words())) {
    return std::nullopt;
  }
  return sizes;
}

CellsPlace unpack_cells(std::uint64_t cells, std::uint64_t shape, Spread spread) noexcept {
  return {.at = static_cast<std::uint32_t>(cells),
          .stride = static_cast<std::uint32_t>(cells >> kUpper),
          .count = static_cast<std::uint32_t>(shape),
          .ways = static_cast<std::uint32_t>(shape >> kUpper),
          .spread = spread};
}

bool is_within(const Memory& memory, const CellsPlace& cells) noexcept {
  if (cells.ways == 0 || cells.count == 0 || cells.at < memory.heap_start()) return false;
  const std::uint64_t before_last = std::uint64_t{cells.ways - 1} * cells.stride;
  // Each is below 2^64, and so is their sum.
  return before_last <= memory.size() && memory.contains(cells.at + before_last, cells.count);
}

bool are_bounds(const std::vector<double>& bounds) noexcept {
  return std::ranges::all_of(bounds, [](double bound) { return std::isfinite(bound); }) &&
         std::ranges::adjacent_find(bounds, std::greater_equal<>{}) == bounds.end();
}

}  // namespace

std::string encode(const FamilyKey& key) {
  std::string out;
  put(out, key.kind);
  put(out, key.merge);
  put_text(out, key.name);
  put_texts(out, key.labels);
  put(out, static_cast<std::uint16_t>(key.bounds.size()));
  for (const double bound : key.bounds) put(out, bound);
  return out;
}

std::string encode(const SeriesKey& key) {
  std::string out;
  put(out, key.family);
  put(out, key.part);
  put(out, key.bound);
  put_texts(out, key.values);
  return out;
}

std::uint64_t hash_of(std::string_view key) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : key) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  // The upper half is what is compared, the lower one where it is looked for.
  hash ^= hash >> 29;
  hash *= 0xbf58476d1ce4e5b9;
  return hash ^ hash >> 32;
}

std::uint32_t words_of(const RecordToWrite& record) noexcept {
  return kRecordHeadWords + words_for(record.key.size() + record.note.size());
}

void write_record(const Memory& memory, std::uint64_t at, const RecordToWrite& record) {
  const auto put_word = [&](std::uint64_t offset, std::uint64_t value) {
    memory.word(at + offset).store(value, std::memory_order_relaxed);
  };
  put_word(0, static_cast<std::uint64_t>(record.type) | record.key.size() << kKeyShift |
                  record.note.size() << kNoteShift |
                  static_cast<std::uint64_t>(record.cells.spread) << kSpreadShift);
  put_word(1, record.cells.at | std::uint64_t{record.cells.stride} << kUpper);
  put_word(2, record.cells.count | std::uint64_t{record.cells.ways} << kUpper);
  put_word(3, 0);
  std::string text(record.key);
  text += record.note;
  for (std::size_t i = 0; i < words_for(text.size()); ++i) {
    std::uint64_t word = 0;
    const std::size_t from = i * kWordBytes;
    std::memcpy(&word, text.data() + from, std::min(kWordBytes, text.size() - from));
    put_word(kRecordHeadWords + i, word);
  }
}

bool has_key(const Memory& memory, std::uint64_t at, RecordType type,
             std::string_view key) noexcept {
  const auto sizes = sizes_at(memory, at);
  if (!sizes || sizes->type != static_cast<std::uint64_t>(type) || sizes->key != key.size()) {
    return false;
  }
  for (std::size_t from = 0; from < key.size(); from += kWordBytes) {
    const std::uint64_t word =
        memory.word(at + kRecordHeadWords + from / kWordBytes).load(std::memory_order_relaxed);
    if (std::memcmp(&word, key.data() + from, std::min(kWordBytes, key.size() - from)) != 0) {
      return false;
    }
  }
  return true;
}

std::optional<CellsPlace> cells_at(const Memory& memory, std::uint64_t at) noexcept {
  const auto sizes = sizes_at(memory, at);
  if (!sizes || sizes->type != static_cast<std::uint64_t>(RecordType::series) ||
      sizes->spread >= kSpreads) {
    return std::nullopt;
  }
  const CellsPlace cells =
      unpack_cells(memory.word(at + 1).load(std::memory_order_relaxed),
                   memory.word(at + 2).load(std::memory_order_relaxed), Spread(sizes->spread));
  return is_within(memory, cells) ? std::optional(cells) : std::nullopt;
}

Word<std::uint64_t>& used_word(const Memory& memory, std::uint64_t at) noexcept {
  return memory.word(at + 3);
}

std::optional<ReadRecord> read_record(const Memory& memory, std::uint64_t at) {
  const auto sizes = sizes_at(memory, at);
  if (!sizes) return std::nullopt;
  ReadRecord record{.type = static_cast<RecordType>(sizes->type),
                    .key = {},
                    .note = {},
                    .cells = {},
                    .used = used_word(memory, at).load(std::memory_order_relaxed),
                    .words = sizes->words()};
  if (record.type == RecordType::series) {
    const auto cells = cells_at(memory, at);
    if (!cells) return std::nullopt;
    record.cells = *cells;
  } else if (record.type != RecordType::family) {
    return std::nullopt;
  }
  std::string text(std::size_t{words_for(sizes->key + sizes->note)} * kWordBytes, '\0');
  for (std::size_t from = 0; from < text.size(); from += kWordBytes) {
    const std::uint64_t word =
        memory.word(at + kRecordHeadWords + from / kWordBytes).load(std::memory_order_relaxed);
    std::memcpy(text.data() + from, &word, kWordBytes);
  }
  record.note = text.substr(sizes->key, sizes->note);
  text.resize(sizes->key);
  record.key = std::move(text);
  return record;
}

std::optional<FamilyKey> decode_family(std::string_view bytes) {
  KeyReader reader(bytes);
  const auto kind = reader.take<std::uint8_t>();
  const auto merge = reader.take<std::uint8_t>();
  if (kind >= kKinds || merge >= kMerges) return std::nullopt;
  FamilyKey key{.kind = Kind(kind),
                .merge = Merge(merge),
                .name = reader.take_text(),
                .labels = {},
                .bounds = {}};
  key.labels = reader.take_texts();
  for (auto left = reader.take<std::uint16_t>(); left > 0 && !reader.failed(); --left) {
    key.bounds.push_back(reader.take<double>());
  }
  if (!reader.is_done() || !are_bounds(key.bounds) || !check_family(key)) return std::nullopt;
  return key;
}

std::optional<SeriesKey> decode_series(std::string_view bytes) {
  KeyReader reader(bytes);
  SeriesKey key{.family = reader.take<std::uint32_t>(), .part = {}, .bound = 0, .values = {}};
  const auto part = reader.take<std::uint8_t>();
  key.bound = reader.take<double>();
  key.values = reader.take_texts();
  if (!reader.is_done() || part >= kParts || std::isnan(key.bound)) return std::nullopt;
  key.part = Part(part);
  return key;
}

}  // namespace pyhost::appmetrics
