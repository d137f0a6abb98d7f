// Where a board has its totals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "scoreboard/totals.h"

namespace pyhost::scoreboard {

// Application groups that are told apart; whatever comes later is counted as one.
inline constexpr std::uint32_t kApplicationsMax = 64;
inline constexpr std::uint32_t kOtherApplications = kApplicationsMax;
// An application group with a longer name is one of the others.
inline constexpr std::size_t kApplicationNameBytesMax = 240;

// A place for an application group. It is taken once, and never given to another name.
struct alignas(64) ApplicationPlace {
  Word<std::uint64_t> key;    // of the name; 0: free
  Word<std::uint64_t> named;  // 0: the text is not there yet; else its length and one
  Word<std::uint64_t> text[kApplicationNameBytesMax / sizeof(std::uint64_t)];
};

// What one child, and others like it, have added.
struct alignas(64) TotalsStripe {
  RequestTotals<Total> requests;
  struct alignas(64) Application : ApplicationTotals<Total> {};
  Application applications[kApplicationsMax + 1];
};

inline constexpr std::size_t kStripes = 8;

struct alignas(64) BoardTotals {
  WorkerTotals<Total> workers;
  ApplicationPlace places[kApplicationsMax];
  TotalsStripe stripes[kStripes];
};

static_assert(sizeof(ApplicationPlace) == 256 && sizeof(TotalsStripe::Application) == 256);

}  // namespace pyhost::scoreboard
