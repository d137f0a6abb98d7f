// What is broken in a process group, as its supervisor tells httpd's children.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "scoreboard/text_words.h"

namespace pyhost::scoreboard {

inline constexpr std::size_t kTroublesMax = 8;
// What of its texts is on the board; the rest is cut off.
inline constexpr std::size_t kTroubleGroupBytesMax = 128;
inline constexpr std::size_t kTroubleScriptBytesMax = 256;
inline constexpr std::size_t kTroubleReasonBytesMax = 512;

struct Trouble {
  enum class Kind : std::uint32_t {
    kept,    // of a script the version of before is served
    broken,  // of a script nothing is served
    start,   // a worker could not start; there is no script to it
  };
  Kind kind = Kind::start;
  std::int64_t since_us = 0;      // since the epoch; 0: not known
  std::string application_group;  // these three are any bytes
  std::string script;
  std::string reason;

  bool operator==(const Trouble&) const = default;
};

struct Troubles {
  std::vector<Trouble> told;  // on the board not more than kTroublesMax, the first ones
  std::uint32_t number = 0;   // with those that were left out
  std::uint32_t current = 0;  // scripts of which the present version is served

  bool operator==(const Troubles&) const = default;
};

// --- On the board ---

struct alignas(64) TroubleRow {
  Word<std::uint32_t> kind;
  Word<std::uint32_t> bytes[3];  // of the texts
  Word<std::int64_t> since_us;
  TextWord application_group[kTroubleGroupBytesMax / sizeof(std::uint64_t)];
  TextWord script[kTroubleScriptBytesMax / sizeof(std::uint64_t)];
  TextWord reason[kTroubleReasonBytesMax / sizeof(std::uint64_t)];
};

struct alignas(64) TroubleRows {
  Word<std::uint32_t> version;  // odd while they are written
  Word<std::uint32_t> number;
  Word<std::uint32_t> current;
  TroubleRow rows[kTroublesMax];
};

// By one thread of one process at a time, the supervisor's.
void write_troubles(TroubleRows& rows, const Troubles& troubles) noexcept;
// As they are at one moment; while they are written, and if the writer was killed at it, what is
// there. Whatever is there, texts and numbers are within their limits.
Troubles read_troubles(const TroubleRows& rows);

}  // namespace pyhost::scoreboard
