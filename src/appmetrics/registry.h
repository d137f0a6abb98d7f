// Where a process finds and makes the series that it writes to.
#pragma once

#include <cstdint>
#include <optional>

#include "appmetrics/cells.h"
#include "appmetrics/memory.h"
#include "appmetrics/record.h"

namespace pyhost::appmetrics {

// One per process, for any thread of it and, if it is forked, of the copies. Takes no lock and
// never waits, so that a process that dies or is stopped in the middle keeps nobody up: what it
// leaves is at most a piece of memory that nobody uses. The memory outlives it.
class Registry {
 public:
  Registry(const Memory& memory, const Seat& seat) noexcept : memory_(memory), seat_(seat) {}

  const Memory& memory() const noexcept { return memory_; }

  // Where the family's record is; it is made when there is none. Nothing when there is no room.
  // PRECONDITION: check_family(). `help` may be cut.
  std::optional<std::uint32_t> family(const FamilyKey& key, std::string_view help);
  // The cells of a series, which are made when there are none: `cells` of them for each writer.
  // Those that drop what is written when there is no room, or the key is too long. PRECONDITION:
  // key.family is one of family().
  SeriesCells series(const SeriesKey& key, Spread spread, std::uint32_t cells);

  // True for the first of all processes that asks it: somebody has to be told that there is no
  // room.
  bool may_complain() noexcept;

 private:
  // A way through the index.
  struct Search {
    std::uint64_t hash;
    std::uint64_t steps = 0;
  };

  std::optional<std::uint32_t> find(Search& search, RecordType type,
                                    std::string_view key) const noexcept;
  std::optional<std::uint32_t> find_or_add(const RecordToWrite& record, Search search);
  std::optional<std::uint64_t> take_words(std::uint64_t words) noexcept;
  void give_words_back(std::uint64_t at, std::uint64_t words) noexcept;
  std::optional<CellsPlace> take_cells(Spread spread, std::uint32_t count) noexcept;
  static std::optional<CellsPlace> take_from_chunk(Word<std::uint64_t>& chunk,
                                                   CellsPlace wanted) noexcept;

  const Memory& memory_;
  const Seat seat_;
};

}  // namespace pyhost::appmetrics
