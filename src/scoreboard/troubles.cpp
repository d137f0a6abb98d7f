#include "scoreboard/troubles.h"

#include <algorithm>
#include <string_view>

namespace pyhost::scoreboard {
namespace {

template <std::size_t kWords>
void put(TextWord (&words)[kWords], Word<std::uint32_t>& bytes, std::string_view text) noexcept {
  const std::string_view kept = text.substr(0, sizeof words);
  write_text(words, kept);
  bytes.store(static_cast<std::uint32_t>(kept.size()), std::memory_order_release);
}

void put(TroubleRow& row, const Trouble& trouble) noexcept {
  row.kind.store(static_cast<std::uint32_t>(trouble.kind), std::memory_order_release);
  row.since_us.store(trouble.since_us, std::memory_order_release);
  put(row.application_group, row.bytes[0], trouble.application_group);
  put(row.script, row.bytes[1], trouble.script);
  put(row.reason, row.bytes[2], trouble.reason);
}

Trouble trouble_in(const TroubleRow& row) {
  const std::uint32_t kind = row.kind.load(std::memory_order_acquire);
  const bool is_known = kind <= static_cast<std::uint32_t>(Trouble::Kind::start);
  return {.kind = is_known ? Trouble::Kind(kind) : Trouble::Kind::start,
          .since_us = row.since_us.load(std::memory_order_acquire),
          .application_group =
              read_text(row.application_group, row.bytes[0].load(std::memory_order_acquire)),
          .script = read_text(row.script, row.bytes[1].load(std::memory_order_acquire)),
          .reason = read_text(row.reason, row.bytes[2].load(std::memory_order_acquire))};
}

Troubles all_in(const TroubleRows& rows) {
  Troubles troubles{.number = rows.number.load(std::memory_order_acquire),
                    .current = rows.current.load(std::memory_order_acquire)};
  const auto told = std::min<std::size_t>(troubles.number, kTroublesMax);
  for (std::size_t i = 0; i < told; ++i) troubles.told.push_back(trouble_in(rows.rows[i]));
  return troubles;
}

}  // namespace

void write_troubles(TroubleRows& rows, const Troubles& troubles) noexcept {
  // Odd already when a writer of before was killed at it.
  const std::uint32_t writing = rows.version.load(std::memory_order_relaxed) | 1;
  rows.version.store(writing);
  rows.number.store(troubles.number, std::memory_order_release);
  rows.current.store(troubles.current, std::memory_order_release);
  const std::size_t told = std::min(troubles.told.size(), kTroublesMax);
  for (std::size_t i = 0; i < told; ++i) put(rows.rows[i], troubles.told[i]);
  rows.version.store(writing + 1);
}

// A word that is read while it is new makes the version new that is read behind it.
Troubles read_troubles(const TroubleRows& rows) {
  constexpr int kLooks = 3;
  for (int look = 1;; ++look) {
    const std::uint32_t before = rows.version.load(std::memory_order_acquire);
    Troubles troubles = all_in(rows);
    const bool is_whole = before % 2 == 0 && rows.version.load(std::memory_order_acquire) == before;
    if (is_whole || look == kLooks) return troubles;
  }
}

}  // namespace pyhost::scoreboard
