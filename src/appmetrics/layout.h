// What the memory of a process group's application metrics consists of.
//
//   Header | a Lane for each worker that there may be | index | records and cells, in the order in
//   which they came
//
// A worker may write anything anywhere: see README.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "appmetrics/word.h"

namespace pyhost::appmetrics {

using Words = Word<std::uint64_t>;

// Cells that share a line of the cache; each line has one writer, as a rule.
inline constexpr std::size_t kLineBytes = 64;
inline constexpr std::uint32_t kCellsOfLine = kLineBytes / sizeof(Words);

struct alignas(kLineBytes) Header {
  // Written before anybody else has the memory.
  Word<std::uint32_t> stripes;         // that counters are spread over
  Word<std::uint32_t> lanes;           // that gauges have: one for each worker
  Word<std::uint32_t> lanes_per_slot;  // 2 where a worker and its successor share a slot, else 1
  Word<std::uint32_t> places;          // of the index; a power of two
  // Where the next record or chunk begins: a number of words from the start of the memory.
  Word<std::uint64_t> heap_end;
  // The chunks of cells that are not full: see Registry.
  Word<std::uint64_t> counter_chunk;
  Word<std::uint64_t> gauge_chunk;
  Word<std::uint32_t> series;      // in the index
  Word<std::uint32_t> uses;        // of families by processes, so far
  Word<std::uint64_t> dropped;     // writes that found no cell
  Word<std::uint32_t> complained;  // somebody has logged that there is no room
};

// Who writes the gauges of a lane.
struct Lane {
  Word<std::uint32_t> owner;  // a worker's generation, or a child's pid; 0: nobody yet
  Word<std::uint32_t> ended;  // the owner that is known to have ended
};

// A place of the index: 0, or the upper half of a key's hash, and in the lower half where its
// record is, in words from the start.
inline constexpr unsigned kHashShift = 32;

// In front of a record's key, which is followed by a note.
struct RecordHead {
  Word<std::uint64_t> sizes;  // see record.cpp
  Word<std::uint64_t> cells;  // of a series: where they are
  Word<std::uint64_t> shape;  // and how many
  Word<std::uint64_t> used;   // of a family: when a process has last asked for it, by Header::uses
};
inline constexpr std::uint32_t kRecordHeadWords = sizeof(RecordHead) / sizeof(Words);

static_assert(sizeof(Header) == kLineBytes && sizeof(Lane) == 8 && sizeof(RecordHead) == 32 &&
              Words::is_always_lock_free);

}  // namespace pyhost::appmetrics
